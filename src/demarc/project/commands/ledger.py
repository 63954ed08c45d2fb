"""`demarc ledger`: the whole ledger as beancount text on standard output. The work is billing.beancount's."""

import sys
from argparse import Namespace

from django.db import transaction

from demarc.billing import beancount


def run(args: Namespace) -> int:
    """Write it."""
    with transaction.atomic():
        for line in beancount.lines():
            sys.stdout.write(f"{line}\n")
    return 0
