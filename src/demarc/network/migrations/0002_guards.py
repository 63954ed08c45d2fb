"""Pools of one VRF never overlap, and their range lies inside their network. No contrib extension is needed."""

from django.db import migrations

SQL = """
ALTER TABLE network_pool
    ADD CONSTRAINT network_pool_no_overlap
        EXCLUDE USING gist (int4range(vrf, vrf, '[]') WITH &&, network inet_ops WITH &&),
    ADD CONSTRAINT network_pool_inside CHECK (first <<= network::inet AND last <<= network::inet),
    ADD CONSTRAINT network_pool_size CHECK (family(network) = 4 AND masklen(network) BETWEEN 8 AND 32);
"""

REVERSE = """
ALTER TABLE network_pool
    DROP CONSTRAINT network_pool_no_overlap, DROP CONSTRAINT network_pool_inside, DROP CONSTRAINT network_pool_size;
"""


class Migration(migrations.Migration):
    dependencies = [("network", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
