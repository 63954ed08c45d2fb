"""`demarc verify-log`: is the operation log what was sealed? The work is base.verify_log's, which also runs alone."""

import json
import sys
from argparse import Namespace
from pathlib import Path

from demarc.base import clock, sealing
from demarc.base.verify_log import Unreadable, report
from demarc.core.errors import Refused
from demarc.project.trouble import UNHEALTHY


def run(args: Namespace) -> int:
    """Name what differs, a line each; 0 only when nothing does."""
    try:
        told = [json.loads(line) for name in args.checkpoint for line in Path(name).read_text().splitlines() if line]
    except (OSError, ValueError) as error:
        raise Refused(f"--checkpoint: {error}.", code="setting") from error
    try:
        verdict = sealing.verify_now(at=clock.now(), checkpoints=told)
    except Unreadable as error:
        raise Refused(f"{error}.", code="log") from error
    sys.stdout.write(report(verdict))
    return UNHEALTHY if verdict.findings else 0
