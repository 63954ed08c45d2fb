"""Blocks and leases of IPv6 prefixes; what a login holds for good lies in no pool that sessions get prefixes from."""

from django.db import migrations

# As the owner: row policies hide other partners' rows from the one who writes, and the guard must see them.
SQL = """
CREATE FUNCTION access_prefix_not_in_pool() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    found boolean;
BEGIN
    IF TG_TABLE_NAME = 'network_pool' THEN
        SELECT EXISTS (SELECT FROM access_staticprefix WHERE active AND prefix && NEW.network) INTO found;
    ELSE
        SELECT EXISTS (SELECT FROM network_pool WHERE family(network) = 6 AND network && NEW.prefix) INTO found;
    END IF;
    IF found THEN
        RAISE EXCEPTION 'held for good and in a pool: "access_prefix_not_in_pool"'
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'access_prefix_not_in_pool';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER access_prefix_not_in_pool BEFORE INSERT OR UPDATE OF network ON network_pool
    FOR EACH ROW WHEN (family(NEW.network) = 6) EXECUTE FUNCTION access_prefix_not_in_pool();
CREATE TRIGGER access_prefix_not_in_pool BEFORE INSERT OR UPDATE OF prefix, active ON access_staticprefix
    FOR EACH ROW WHEN (NEW.active) EXECUTE FUNCTION access_prefix_not_in_pool();
"""

REVERSE = """
DROP TRIGGER access_prefix_not_in_pool ON network_pool;
DROP TRIGGER access_prefix_not_in_pool ON access_staticprefix;
DROP FUNCTION access_prefix_not_in_pool();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0004_proof"),
        ("network", "0004_ipv6_pools"),
    ]

    operations = [
        migrations.RunSQL(SQL, REVERSE),
    ]
