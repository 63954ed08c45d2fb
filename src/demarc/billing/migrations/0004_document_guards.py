"""What Django cannot say of documents: no day of a service is billed twice, and what was issued is not changed."""

from django.db import migrations

SQL = """
-- Ranges of numbers stand for equality: the private database has no btree_gist.
ALTER TABLE billing_cover ADD CONSTRAINT billing_cover_once EXCLUDE USING gist (
    int8range(service_id, service_id, '[]') WITH &&, daterange(first_day, last_day, '[]') WITH &&
) WHERE (replaced_by_id IS NULL);

ALTER TABLE billing_document
    ADD CONSTRAINT billing_document_account_currency FOREIGN KEY (account_id, currency)
        REFERENCES customers_account (id, currency);
ALTER TABLE billing_recurringstate SET (fillfactor = 60);
ALTER TABLE billing_billedthrough SET (fillfactor = 60);

-- Of an issued document only what is still open, and that it is disputed, may change.
CREATE FUNCTION billing_document_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (to_jsonb(NEW) - 'open_amount' - 'disputed_at')
        = (to_jsonb(OLD) - 'open_amount' - 'disputed_at') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an issued document is not changed: credit it' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER billing_document_guard BEFORE UPDATE OR DELETE ON billing_document
    FOR EACH ROW EXECUTE FUNCTION billing_document_guard();

-- A cover is replaced once, by the document that credits it.
CREATE FUNCTION billing_cover_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.replaced_by_id IS NULL
        AND (to_jsonb(NEW) - 'replaced_by_id') = (to_jsonb(OLD) - 'replaced_by_id') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'billed days are not changed: credit them' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER billing_cover_guard BEFORE UPDATE OR DELETE ON billing_cover
    FOR EACH ROW EXECUTE FUNCTION billing_cover_guard();
"""

ONCE = ("billing_documentline", "billing_documenttax", "billing_allocation", "customers_recurringterms")
SQL += "".join(
    f"""
CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION demarc_immutable();
"""
    for table in ONCE
)
REVERSE = (
    "".join(f"DROP TRIGGER {table}_immutable ON {table};" for table in ONCE)
    + """
DROP TRIGGER billing_cover_guard ON billing_cover;
DROP FUNCTION billing_cover_guard();
DROP TRIGGER billing_document_guard ON billing_document;
DROP FUNCTION billing_document_guard();
ALTER TABLE billing_document DROP CONSTRAINT billing_document_account_currency;
ALTER TABLE billing_cover DROP CONSTRAINT billing_cover_once;
"""
)


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0003_documents"),
        ("customers", "0002_recurring_terms"),
        ("plans", "0002_catalogue"),
    ]
    operations = [migrations.RunSQL(SQL, REVERSE)]
