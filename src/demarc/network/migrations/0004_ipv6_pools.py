"""Pools of IPv6 prefixes beside those of addresses: kind, family and length go together."""

from django.db import migrations, models

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
        migrations.RemoveConstraint(model_name="pool", name="network_pool_kind"),
        migrations.AddField(
            model_name="pool",
            name="prefix_length",
            field=models.PositiveSmallIntegerField(db_default=32, default=32),
        ),
        migrations.AlterField(model_name="pool", name="first", field=models.GenericIPAddressField()),
        migrations.AlterField(
            model_name="pool",
            name="last",
            field=models.GenericIPAddressField(help_text="Of a pool of prefixes: the address of the last one."),
        ),
        migrations.AlterField(
            model_name="pool",
            name="kind",
            field=models.CharField(
                choices=[
                    ("dynamic", "Dynamic"),
                    ("static", "Static"),
                    ("reject", "Reject"),
                    ("prefix", "IPv6 prefix of the line"),
                    ("delegated", "IPv6 prefix for the customer's router"),
                ],
                default="dynamic",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="pool",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["dynamic", "static", "reject", "prefix", "delegated"])),
                name="network_pool_kind",
            ),
        ),
        migrations.RunSQL(SQL, REVERSE),
    ]
