"""What radiusd is told by its environment. Reads no file but keys' names; knows nothing of the web's settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Config:
    """One radiusd. `index` of `processes`: which of the processes that share the ports this one is. `eap_certificate`
    and `eap_key`: the provider's own, PEM; None: those that are made here."""

    url: str
    data: Path
    keys: Path
    node: str = "main"
    bind: str = "0.0.0.0"  # noqa: S104 - packets from addresses that are no NAS are dropped unanswered
    auth_port: int = 1812
    acct_port: int = 1813
    processes: int = 1
    index: int = 0
    eap_certificate: Path | None = None
    eap_key: Path | None = None

    @property
    def journal(self) -> Path:
        """Where this process keeps its accounting until it is in the database."""
        return self.data / "radius" / f"journal-{self.index}"

    @property
    def snapshot(self) -> Path:
        """The read model as of a moment ago, to start from when the database is away."""
        return self.data / "radius" / f"snapshot-{self.index}.jsonl"

    @property
    def status(self) -> Path:
        """What `demarc status` reads."""
        return self.data / "run" / ("radiusd.json" if self.index == 0 else f"radiusd-{self.index}.json")

    @property
    def writer(self) -> str:
        """The name under which this process's journal and address blocks are known in the database."""
        return f"{self.node}/{self.index}"

    def owns(self, address: str) -> bool:
        """Whether the packets of this NAS reach this process (see server.steering)."""
        return share_of(address, self.processes) == self.index


def share_of(address: str, processes: int) -> int:
    """Which of `processes` a source address belongs to: its last 32 bits modulo their number."""
    if processes == 1:
        return 0
    return int.from_bytes(packed_tail(address), "big") % processes


def packed_tail(address: str) -> bytes:
    """The last four octets of an address."""
    return ip_address(address).packed[-4:]


def from_environment(environ: Mapping[str, str] = os.environ, index: int = 0) -> Config:
    """Read DEMARC_*; KeyError names the variable that is missing."""
    given = {name: value for name, value in environ.items() if name.startswith("DEMARC_") and value}
    data = Path(given["DEMARC_DATA"])
    return Config(
        url=given["DEMARC_RADIUS_URL"],
        data=data,
        keys=Path(given.get("DEMARC_KEYS", data / "keys")),
        node=given.get("DEMARC_NODE", Config.node),
        bind=given.get("DEMARC_RADIUS_BIND", Config.bind),
        auth_port=int(given.get("DEMARC_RADIUS_AUTH_PORT", Config.auth_port)),
        acct_port=int(given.get("DEMARC_RADIUS_ACCT_PORT", Config.acct_port)),
        processes=int(given.get("DEMARC_RADIUS_PROCESSES", Config.processes)),
        index=index,
        eap_certificate=_path(given, "DEMARC_EAP_CERTIFICATE"),
        eap_key=_path(given, "DEMARC_EAP_KEY"),
    )


def _path(given: Mapping[str, str], name: str) -> Path | None:
    return Path(given[name]) if name in given else None
