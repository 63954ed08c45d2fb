"""One live session per address, by a unique index where an exclusion constraint was.

Both say the same of single addresses, but GiST took 0.2 to 0.7 ms for each session that is inserted or looked up among
34,000, the B-tree a hundredth of that.
"""

from django.db import migrations, models

SQL = """
ALTER TABLE access_sessionlive
    DROP CONSTRAINT access_sessionlive_address,
    ADD CONSTRAINT access_sessionlive_host CHECK (family(framed_ipv4) = 4 AND masklen(framed_ipv4) = 32);
"""

REVERSE = """
ALTER TABLE access_sessionlive
    DROP CONSTRAINT access_sessionlive_host,
    ADD CONSTRAINT access_sessionlive_address
        EXCLUDE USING gist (int4range(vrf, vrf, '[]') WITH &&, framed_ipv4 inet_ops WITH &&)
        WHERE (framed_ipv4 IS NOT NULL);
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0005_coa_retries")]
    operations = [
        migrations.RunSQL(SQL, REVERSE),
        migrations.AddConstraint(
            model_name="sessionlive",
            constraint=models.UniqueConstraint(
                fields=["vrf", "framed_ipv4"],
                condition=models.Q(framed_ipv4__isnull=False),
                name="access_sessionlive_address",
            ),
        ),
    ]
