"""What each document paid for in vain: slow ranges."""

from django.db import migrations

# Billed days as a flat box: the service one way, its days (counted from 2000) the other. Whole numbers up to 2^53 are
# exact there, and an insert costs less than half of what two ranges do.
ONCE = """
ALTER TABLE billing_cover DROP CONSTRAINT billing_cover_once;
ALTER TABLE billing_cover ADD CONSTRAINT billing_cover_once EXCLUDE USING gist (
    box(point(service_id, first_day - DATE '2000-01-01'), point(service_id, last_day - DATE '2000-01-01')) WITH &&
) WHERE (replaced_by_id IS NULL);
"""
RANGES = """
ALTER TABLE billing_cover DROP CONSTRAINT billing_cover_once;
ALTER TABLE billing_cover ADD CONSTRAINT billing_cover_once EXCLUDE USING gist (
    int8range(service_id, service_id, '[]') WITH &&, daterange(first_day, last_day, '[]') WITH &&
) WHERE (replaced_by_id IS NULL);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0006_pages")]

    operations = [
        migrations.RunSQL(ONCE, RANGES),
    ]
