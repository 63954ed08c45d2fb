"""What this process has done since it started, for the status file and the metrics. Only counts."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """`serving`: whether the ports are answered. `dropped`: packets that got no answer, by reason.
    `moving`: what became of the packets of NASes whose customers are moving in. `told`: how often others told of a
    session of theirs. `eap`: conversations begun, requests in them, and what they came to."""

    serving: bool = False
    auth: int = 0
    accepts: int = 0
    rejects: int = 0
    acct: int = 0
    repeated: int = 0
    coa_sent: int = 0
    told: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    reject_causes: Counter[str] = field(default_factory=Counter)
    moving: Counter[str] = field(default_factory=Counter)
    eap: Counter[str] = field(default_factory=Counter)
