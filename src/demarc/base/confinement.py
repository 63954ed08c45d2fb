"""Row security, the second wall behind `within`: a transaction that works for some partners only sees no row of others.

The policies are project.row_security's. They read two variables, which end with the transaction as the role does, so
that nothing is left on a connection for the next request. Unset: no row at all. A third, demarc.made, is written by
triggers of the tables of logins and tokens: whom this transaction has made.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction

from demarc.base import sql
from demarc.base.actors import Actor

ENTER = """
SELECT set_config('role', 'demarc_scoped', true), set_config('demarc.partners', %(partners)s, true),
    set_config('demarc.actor', %(actor)s, true), set_config('demarc.made', '', true)
"""
LEAVE = """
SELECT set_config('role', 'none', true), set_config('demarc.partners', '', true), set_config('demarc.actor', '', true),
    set_config('demarc.made', '', true)
"""


def confine(partner_ids: Sequence[int] | None, by: Actor) -> None:
    """To the end of the transaction the database shows and takes only rows of these partners, and of `by` himself;
    None: of all, nothing changes. RuntimeError where no transaction is open, for then nothing would be confined."""
    if partner_ids is None:
        return
    if not connection.in_atomic_block:
        raise RuntimeError("row security holds within a transaction only")
    sql.rows(ENTER, partners=sql.array(partner_ids), actor=f"{by.kind}:{by.id}")


@contextmanager
def confined(partner_ids: Sequence[int] | None, by: Actor) -> Iterator[None]:
    """The same for what is done inside. An error leaves it to the rollback, which takes the role back as well."""
    confine(partner_ids, by)
    yield
    if partner_ids is not None and not connection.needs_rollback:
        sql.rows(LEAVE)


def confined_stream(pieces: Iterable[bytes], partner_ids: Sequence[int], by: Actor) -> Iterator[bytes]:
    """The pieces of an answer that is made while it is sent, after the request's own transaction."""
    with transaction.atomic(), confined(partner_ids, by):
        yield from pieces
