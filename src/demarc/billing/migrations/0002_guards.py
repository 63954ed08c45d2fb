"""What Django cannot say: transfers are immutable, both sides are of one currency, facts are append-only."""

from django.db import migrations

FACTS = ("customers_partnerterms", "customers_accountterms", "plans_planprice", "plans_taxrate", "plans_servicefact")

SQL = """
CREATE SEQUENCE billing_entry_seq;

-- Half-filled pages let a new balance stay on its page, so that no index is touched (HOT).
ALTER TABLE billing_ledgeraccount SET (fillfactor = 50);
ALTER TABLE billing_prepaidstate SET (fillfactor = 50);

ALTER TABLE billing_transfer
    ADD CONSTRAINT billing_transfer_debit_currency FOREIGN KEY (debit_account_id, currency)
        REFERENCES billing_ledgeraccount (id, currency),
    ADD CONSTRAINT billing_transfer_credit_currency FOREIGN KEY (credit_account_id, currency)
        REFERENCES billing_ledgeraccount (id, currency),
    ADD CONSTRAINT billing_transfer_payer_currency FOREIGN KEY (account_id, currency)
        REFERENCES customers_account (id, currency);
ALTER TABLE billing_ledgeraccount
    ADD CONSTRAINT billing_ledgeraccount_payer_currency FOREIGN KEY (payer_id, currency)
        REFERENCES customers_account (id, currency);
ALTER TABLE billing_payment
    ADD CONSTRAINT billing_payment_account_currency FOREIGN KEY (account_id, currency)
        REFERENCES customers_account (id, currency),
    ADD CONSTRAINT billing_payment_limits CHECK (amount BETWEEN -1000000000000000 AND 1000000000000000),
    ADD CONSTRAINT billing_payment_day CHECK (received_on BETWEEN '2000-01-01' AND '2199-12-31');
ALTER TABLE billing_daydecision
    ADD CONSTRAINT billing_daydecision_range CHECK (day BETWEEN '2000-01-01' AND '2199-12-31');

CREATE TRIGGER billing_transfer_immutable BEFORE UPDATE OR DELETE ON billing_transfer
    FOR EACH ROW EXECUTE FUNCTION demarc_immutable();
CREATE TRIGGER billing_transfer_no_truncate BEFORE TRUNCATE ON billing_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION demarc_immutable();

-- A decision may change once only: a day blocked at 00:00 and paid later.
CREATE FUNCTION billing_daydecision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.decision = 'blocked' AND NEW.decision IN ('charged', 'nothing_due')
       AND (NEW.account_id, NEW.day) = (OLD.account_id, OLD.day) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a decided day is not changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER billing_daydecision_guard BEFORE UPDATE OR DELETE ON billing_daydecision
    FOR EACH ROW EXECUTE FUNCTION billing_daydecision_guard();
""" + "".join(
    f"""
CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION demarc_immutable();
"""
    for table in FACTS
)

REVERSE = (
    "".join(f"DROP TRIGGER {table}_immutable ON {table};" for table in FACTS)
    + """
DROP TRIGGER billing_daydecision_guard ON billing_daydecision;
DROP FUNCTION billing_daydecision_guard();
DROP TRIGGER billing_transfer_no_truncate ON billing_transfer;
DROP TRIGGER billing_transfer_immutable ON billing_transfer;
DROP SEQUENCE billing_entry_seq;
"""
)


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("base", "0002_guards"), ("plans", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
