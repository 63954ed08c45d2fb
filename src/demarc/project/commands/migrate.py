"""The supervisor's step "migrate": brings tables and grants to this version, as the owner."""

from argparse import Namespace

import psycopg
from django.core.management import call_command

from demarc.project.roles import Roles, apply_grants


def run(args: Namespace) -> int:
    """Migrate, then say who may do what."""
    call_command("migrate", interactive=False, verbosity=0)
    with psycopg.connect(args.config.owner_url()) as conn:
        apply_grants(conn, Roles.of(args.config))
    return 0
