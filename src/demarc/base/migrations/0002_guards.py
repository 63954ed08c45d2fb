"""The second wall behind the grants: log rows are never changed. (Grants are project.roles'.)"""

from django.db import migrations

SQL = """
CREATE FUNCTION demarc_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER base_operationlog_immutable BEFORE UPDATE OR DELETE ON base_operationlog
    FOR EACH ROW EXECUTE FUNCTION demarc_immutable();
CREATE TRIGGER base_operationlog_no_truncate BEFORE TRUNCATE ON base_operationlog
    FOR EACH STATEMENT EXECUTE FUNCTION demarc_immutable();
"""

REVERSE = """
DROP TRIGGER base_operationlog_no_truncate ON base_operationlog;
DROP TRIGGER base_operationlog_immutable ON base_operationlog;
DROP FUNCTION demarc_immutable();
"""


class Migration(migrations.Migration):
    dependencies = [("base", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
