"""Statements of our own by the thousand rows: read, write, insert. Knows the connection, and no table."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import connection

from demarc.base import lines


def rows(statement: str, **parameters: Any) -> list[Any]:
    """What a statement answers, all of it: the statement bounds how much that is."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def listed(statement: str, values: Sequence[Any]) -> list[Any]:
    """The same for a statement with %s, whose values are given in order."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def execute(statement: str, **parameters: Any) -> int:
    """Carry out a statement: how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def insert(statement: str, new: Iterable[Iterable[Any]]) -> None:
    """`statement` is "INSERT INTO table (column, ...)" and nothing more, `new` the rows' values in that order. Each
    must be None or have the text that PostgreSQL reads as its `str`."""
    types = _types_of(statement)
    whole = statement + lines.ending(types)
    with connection.cursor() as cursor:
        for arrays in lines.parcels(types, new):
            cursor.execute(whole, arrays)


@cache
def _types_of(statement: str) -> dict[str, str]:
    table, columns = lines.target(statement)
    known = dict(rows(lines.TYPES, table=table))
    return {column: known[column] for column in columns}


def array(values: Iterable[Any]) -> str:
    """Whole numbers or days as PostgreSQL writes an array; for thousands ten times cheaper than the driver's way."""
    return "{" + ",".join(map(str, values)) + "}"
