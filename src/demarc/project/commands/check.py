"""`demarc check`: is anything wrong with the books? The work is billing.check's, and billing.replay's for --all."""

import json
import sys
import time
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

from demarc.billing import check
from demarc.billing.replay import Replay
from demarc.project.trouble import UNHEALTHY


def run(args: Namespace) -> int:
    """Name what is wrong, a line each; 0 only when nothing is."""
    began = time.monotonic()
    findings = check.run()
    for finding in findings:
        sys.stdout.write(f"{finding.check:<12} {finding.text}\n")
    verdict = f"{len(findings)} findings" if findings else "the books are in order"
    sys.stdout.write(f"{len(check.checks())} checks in {time.monotonic() - began:.1f} s: {verdict}\n")
    replayed = _replay(args.config.run / "replay.json") if args.all else 0
    return UNHEALTHY if findings or replayed else 0


def _replay(kept: Path) -> int:
    """Every account from its facts; goes on where an earlier one was interrupted. How much is wrong."""
    replay, wrong, began = Replay(), 0, time.monotonic()
    with suppress(OSError, ValueError, KeyError):
        before = json.loads(kept.read_text())
        replay.after, wrong = before["after"], before["wrong"]
        sys.stdout.write(f"going on after account {replay.after}\n")
    while (found := replay.chunk()) is not None:
        for text in found:
            sys.stdout.write(f"replay       {text}\n")
        wrong += len(found)
        kept.write_text(json.dumps({"after": replay.after, "wrong": wrong}))
        per_s = replay.accounts / (time.monotonic() - began)
        sys.stderr.write(f"\raccount {replay.after}: {per_s:,.0f} accounts/s ")
        sys.stderr.flush()
    kept.unlink(missing_ok=True)
    per_s = replay.accounts / max(time.monotonic() - began, 0.001)
    verdict = f"{wrong} findings" if wrong else "every amount follows from its facts"
    sys.stdout.write(f"{replay.accounts} accounts replayed, {per_s:,.0f}/s: {verdict}\n")
    return wrong
