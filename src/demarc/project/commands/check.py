"""`demarc check`: is anything wrong with the books? The work is billing.check's."""

import sys
import time
from argparse import Namespace

from demarc.billing import check
from demarc.project.trouble import UNHEALTHY


def run(args: Namespace) -> int:
    """Name what is wrong, a line each; 0 only when nothing is."""
    began = time.monotonic()
    findings = check.run()
    for finding in findings:
        sys.stdout.write(f"{finding.check:<12} {finding.text}\n")
    verdict = f"{len(findings)} findings" if findings else "the books are in order"
    sys.stdout.write(f"{len(check.CHECKS)} checks in {time.monotonic() - began:.1f} s: {verdict}\n")
    return UNHEALTHY if findings else 0
