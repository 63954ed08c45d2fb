"""Pools of IPv6 prefixes beside those of addresses: kind, family and length go together."""

from django.db import migrations

SQL = """
ALTER TABLE network_pool
    DROP CONSTRAINT network_pool_size,
    ADD CONSTRAINT network_pool_size CHECK (CASE family(network)
        WHEN 4 THEN kind IN ('dynamic', 'static', 'reject') AND masklen(network) BETWEEN 8 AND 32 AND prefix_length = 32
        ELSE kind IN ('prefix', 'delegated') AND prefix_length BETWEEN masklen(network) AND 64
            AND prefix_length - masklen(network) <= 20 AND (kind = 'delegated' OR prefix_length = 64) END);
"""

REVERSE = """
ALTER TABLE network_pool
    DROP CONSTRAINT network_pool_size,
    ADD CONSTRAINT network_pool_size CHECK (family(network) = 4 AND masklen(network) BETWEEN 8 AND 32);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("base", "0002_guards"),
        ("network", "0003_answers"),
    ]

    operations = [
        migrations.RunSQL(SQL, REVERSE),
    ]
