"""`demarc status`: the checks of project.status as a table or as one JSON object."""

import json
import sys
from argparse import Namespace

from demarc import __version__
from demarc.project.config import Config
from demarc.project.status import checks
from demarc.project.trouble import UNHEALTHY


def run(args: Namespace) -> int:
    """0 only when every check is well."""
    config = Config.from_environment()
    found = list(checks(config))
    healthy = all(check.ok for check in found)
    if args.json:
        told = {check.name: {"ok": check.ok, "text": check.text, **check.figures} for check in found}
        whole = {"healthy": healthy, "version": __version__, "data": str(config.data), "checks": told}
        sys.stdout.write(f"{json.dumps(whole)}\n")
    else:
        for check in found:
            sys.stdout.write(f"{'ok ' if check.ok else 'BAD'}  {check.name:<10} {check.text}\n")
    return 0 if healthy else UNHEALTHY
