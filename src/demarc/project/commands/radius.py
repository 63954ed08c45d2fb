"""`demarc radius`: this machine as a RADIUS node beside the first one; with --join, from now on."""

import getpass
import os
import sys
from argparse import Namespace
from dataclasses import replace

from demarc.base import clock
from demarc.core.errors import Refused
from demarc.project.config import Config
from demarc.project.joining import join, read_token
from demarc.project.supervisor import up


def run(args: Namespace) -> int:
    """Join if asked to, then run until stopped."""
    config = Config.from_environment()
    if args.join:
        told = read_token(args.join, _code(), clock.now())
        join(config, told)
        config = replace(config, node=told.node)
    if not config.joined:
        raise Refused(
            f"{config.data} belongs to no RADIUS node: demarc invite NAME on the first machine says how to join.",
            code="node",
        )
    return up(config, demo=False, test=False)


def _code() -> str:
    """From the environment, from a pipe, or from the keyboard: arguments are for all to see."""
    given = os.environ.get("DEMARC_JOIN_CODE")
    if given:
        return given
    return getpass.getpass("Code: ") if sys.stdin.isatty() else sys.stdin.readline()
