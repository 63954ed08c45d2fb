"""Statements of our own by the thousand rows: read, write, COPY. Knows the connection, and no table."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection


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


def copy(statement: str, lines: Iterable[Iterable[Any]]) -> None:
    """COPY ... FROM STDIN. Each value must be None or have the text that PostgreSQL reads as its `str`."""
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as into:
        for line in lines:
            into.write_row([None if value is None else str(value) for value in line])  # the driver is slow with dates


def array(values: Iterable[Any]) -> str:
    """Whole numbers or days as PostgreSQL writes an array; for thousands ten times cheaper than the driver's way."""
    return "{" + ",".join(map(str, values)) + "}"
