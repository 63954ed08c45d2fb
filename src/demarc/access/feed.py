"""Telling radiusd that rows changed, in the transaction that changed them. Knows no row's meaning."""

from collections.abc import Sequence

from django.db import connection

FEED = """
INSERT INTO access_feed (kind, key) SELECT %(kind)s, key FROM unnest(%(keys)s::bigint[]) AS key
"""
WAKE_FEED = "SELECT pg_notify('demarc_feed', '')"
WAKE_COA = "SELECT pg_notify('demarc_coa', '')"


def tell_radius(kind: str, keys: Sequence[int]) -> None:
    """Let radiusd read these rows again; `kind` is nas | subscriber | policy | pool. It wakes up at the commit."""
    with connection.cursor() as cursor:
        cursor.execute(FEED, {"kind": kind, "keys": list(keys)})
        cursor.execute(WAKE_FEED)


def wake_coa_sender() -> None:
    """Let radiusd look for CoA intents at the commit."""
    with connection.cursor() as cursor:
        cursor.execute(WAKE_COA)
