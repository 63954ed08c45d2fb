"""What came of orders to routers, kept to the end; the history by moment and any address; IPv6 held for good."""

import demarc.base.fields
import django.db.models.deletion
from django.db import migrations, models

SQL = """
-- radiusd, which may write no subscriber, tells what it saw; whether it may be learned is looked at under the row's lock.
CREATE FUNCTION access_learn_mac(whose bigint, heard macaddr) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    most integer;
    replaces boolean;
    held integer;
BEGIN
    SELECT learn_macs, learn_replaces INTO most, replaces FROM access_subscriber
    WHERE id = whose AND bind_mac AND learn_macs > 0 FOR NO KEY UPDATE;
    SELECT count(*) INTO held FROM access_boundmac WHERE subscriber_id = whose AND active;
    IF most IS NULL OR (held >= most AND NOT replaces) THEN
        RETURN false;
    END IF;
    INSERT INTO access_boundmac (subscriber_id, mac, active) VALUES (whose, heard, true) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM access_boundmac WHERE id IN (
        SELECT id FROM access_boundmac WHERE subscriber_id = whose AND active ORDER BY id DESC OFFSET most);
    UPDATE access_subscriber SET macs = ARRAY(
        SELECT upper(mac::text) FROM access_boundmac WHERE subscriber_id = whose AND active ORDER BY mac)
    WHERE id = whose;
    INSERT INTO access_feed (kind, key) VALUES ('subscriber', whose);
    PERFORM pg_notify('demarc_feed', '');
    RETURN true;
END $$;
ALTER TABLE access_staticprefix
    ADD CONSTRAINT access_staticprefix_no_overlap EXCLUDE USING gist (prefix inet_ops WITH &&) WHERE (active),
    ADD CONSTRAINT access_staticprefix_six CHECK (family(prefix) = 6);
CREATE INDEX access_sessionlog_ended ON access_sessionlog (ended_at);
CREATE INDEX access_sessionlog_framed_ipv6 ON access_sessionlog (framed_ipv6, started_at DESC)
    WHERE framed_ipv6 IS NOT NULL;
CREATE INDEX access_sessionlog_ipv6_prefix ON access_sessionlog USING gist (framed_ipv6_prefix inet_ops)
    WHERE framed_ipv6_prefix IS NOT NULL;
CREATE INDEX access_sessionlog_delegated ON access_sessionlog USING gist (delegated_prefix inet_ops)
    WHERE delegated_prefix IS NOT NULL;
"""

REVERSE = """
DROP FUNCTION access_learn_mac(bigint, macaddr);
ALTER TABLE access_staticprefix DROP CONSTRAINT access_staticprefix_no_overlap, DROP CONSTRAINT access_staticprefix_six;
DROP INDEX access_sessionlog_ended, access_sessionlog_framed_ipv6, access_sessionlog_ipv6_prefix,
    access_sessionlog_delegated;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0003_moving_in"),
    ]

    operations = [
        migrations.CreateModel(
            name="StaticPrefix",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("framed", "Prefix of the line"),
                            ("delegated", "Delegated prefix"),
                            ("address", "Address"),
                        ],
                        max_length=10,
                    ),
                ),
                ("prefix", demarc.base.fields.CidrField()),
                ("active", models.BooleanField(default=True)),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="prefixes", to="access.subscriber"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["framed", "delegated", "address"])),
                        name="access_staticprefix_kind",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("active", True)),
                        fields=("subscriber", "kind"),
                        name="access_staticprefix_one_each",
                    ),
                ],
            },
        ),
        migrations.RunSQL(SQL, REVERSE),
    ]
