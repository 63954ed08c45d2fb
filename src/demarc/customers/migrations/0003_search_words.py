"""The words by which customers are found follow their rows, statement by statement: also COPY and updates in bulk. How
somebody is reached is a kind of its own, for not everybody may read it."""

from django.db import migrations, models

TRIGGERS = """
CREATE FUNCTION customers_customer_words(
    name text, number text, email text, phone text, street text, zip_code text, city text
) RETURNS TABLE (kind text, word text) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 'customer', demarc_words(concat_ws(' ', name, number, ltrim(number, '0'), street, zip_code, city))
    UNION SELECT 'contact', demarc_words(email)
    UNION SELECT 'contact', demarc_phone_words(phone)
$$;

CREATE FUNCTION customers_customer_search() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    changed bigint[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(n.id) INTO changed FROM after_rows n JOIN before_rows o ON o.id = n.id
        WHERE (n.partner_id, n.name, n.number, n.email, n.phone, n.street, n.zip_code, n.city)
            IS DISTINCT FROM (o.partner_id, o.name, o.number, o.email, o.phone, o.street, o.zip_code, o.city);
        IF changed IS NULL THEN
            RETURN NULL;
        END IF;
        DELETE FROM base_searchword WHERE kind IN ('customer', 'contact') AND subject_id = ANY(changed);
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM base_searchword w USING before_rows o
        WHERE w.kind IN ('customer', 'contact') AND w.subject_id = o.id;
        RETURN NULL;
    END IF;
    INSERT INTO base_searchword (word, kind, subject_id, partner_id)
    SELECT made.word, made.kind, n.id, n.partner_id FROM after_rows n CROSS JOIN LATERAL
        customers_customer_words(n.name, n.number, n.email, n.phone, n.street, n.zip_code, n.city) made
    WHERE changed IS NULL OR n.id = ANY(changed);
    RETURN NULL;
END $$;

CREATE TRIGGER customers_customer_search_insert AFTER INSERT ON customers_customer
    REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION customers_customer_search();
CREATE TRIGGER customers_customer_search_update AFTER UPDATE ON customers_customer
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION customers_customer_search();
CREATE TRIGGER customers_customer_search_delete AFTER DELETE ON customers_customer
    REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION customers_customer_search();

INSERT INTO base_searchword (word, kind, subject_id, partner_id)
SELECT made.word, made.kind, n.id, n.partner_id FROM customers_customer n CROSS JOIN LATERAL
    customers_customer_words(n.name, n.number, n.email, n.phone, n.street, n.zip_code, n.city) made;
"""
DROP = """
DROP TRIGGER customers_customer_search_delete ON customers_customer;
DROP TRIGGER customers_customer_search_update ON customers_customer;
DROP TRIGGER customers_customer_search_insert ON customers_customer;
DROP FUNCTION customers_customer_search();
DROP FUNCTION customers_customer_words(text, text, text, text, text, text, text);
DELETE FROM base_searchword WHERE kind IN ('customer', 'contact');
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_recurring_terms"), ("base", "0004_search_words")]
    operations = [
        migrations.RunSQL(TRIGGERS, DROP),
        migrations.AddIndex("customer", models.Index(fields=["name", "id"], name="customers_names")),
        migrations.AddIndex("customer", models.Index(fields=["number", "id"], name="customers_numbers")),
        migrations.AddIndex("customer", models.Index(fields=["status", "id"], name="customers_statuses")),
    ]
