"""How much of the pools is in use at most, kept by the day."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from demarc.access.models import PoolPeak
from demarc.access.one_less import PEAK_DAYS, concentrator_sets

KEEP = """
INSERT INTO access_poolpeak (partner_id, site_id, kind, day, used, at)
VALUES (%(partner)s, %(site)s, %(kind)s, %(day)s, %(used)s, %(at)s)
ON CONFLICT (partner_id, site_id, kind, day) DO UPDATE SET used = excluded.used, at = excluded.at
WHERE excluded.used > access_poolpeak.used
"""


@transaction.atomic
def keep_peaks(*, at: datetime) -> int:
    """Keep what is in use of each set of concentrators, if it is the most of the day, and drop days that are long past:
    how many sets there are. A measurement: no log row. Refuses nothing."""
    sets = concentrator_sets(None)
    with connection.cursor() as cursor:
        for one in sets:
            of_set = {"partner": one.partner_id, "site": one.site_id, "kind": one.kind.value, "used": one.used}
            cursor.execute(KEEP, of_set | {"day": at.date(), "at": at})
    PoolPeak.objects.filter(day__lt=(at - timedelta(days=PEAK_DAYS)).date()).delete()
    return len(sets)
