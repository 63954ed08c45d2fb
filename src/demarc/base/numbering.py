"""Business numbers without gaps: taken under the series' row lock, in the transaction that uses them."""

from django.db import connection

TAKE = """
INSERT INTO base_counter (partner_id, series, next_value) VALUES (%(partner)s, %(series)s, 1 + %(count)s)
ON CONFLICT (partner_id, series) DO UPDATE SET next_value = base_counter.next_value + %(count)s
RETURNING next_value - %(count)s
"""


def take(partner_id: int, series: str, count: int = 1) -> int:
    """The first of `count` consecutive numbers of the series. Holds the series' row until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"partner": partner_id, "series": series, "count": count})
        row = cursor.fetchone()
    return int(row[0])


def take_ids(sequence: str, count: int) -> list[int]:
    """`count` ids from a database sequence, for rows whose id must be known before they are written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, count])
        return [row[0] for row in cursor.fetchall()]
