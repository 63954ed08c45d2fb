"""`demarc log`: what of the operation log others need to verify it without us."""

import json
import sys
from argparse import Namespace

from demarc.base import clock, log, sealing
from demarc.base.actors import SYSTEM
from demarc.base.vault import log_signer_public
from demarc.core.errors import Refused


def run(args: Namespace) -> int:
    """Print it, or make it anew."""
    if args.what == "key":
        sys.stdout.write(f"{log_signer_public().hex()}\n")
        return 0
    what = {"export": _export, "checkpoint": _checkpoint, "rebuild": _rebuild}[args.what]
    try:
        return what()
    except sealing.Forked as error:
        raise Refused(f"{error}.", code="log") from error


def _export() -> int:
    with sealing.sealer_waits():
        sealing.seal(at=clock.now())
        with sealing.one_moment():
            for line in sealing.exported():
                sys.stdout.buffer.write(line + b"\n")
    log.record("exported", by=SYSTEM, at=clock.now(), subject=("log", None))
    return 0


def _rebuild() -> int:
    sys.stdout.write(f"{sealing.rebuild(at=clock.now())} seals were copied anew\n")
    return 0


def _checkpoint() -> int:
    with sealing.sealer_waits():
        sealing.seal(at=clock.now())
        told = sealing.last_copied()
    if told is None:
        raise Refused("Nothing is sealed yet.", code="log")
    sys.stdout.write(f"{json.dumps(sealing.checkpoint_of(told))}\n")
    return 0
