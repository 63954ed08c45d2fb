"""The second wall behind the actions: what has ended stays ended, and what was written is not rewritten."""

from django.db import migrations

SQL = """
CREATE FUNCTION messages_message_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state NOT IN ('waiting', 'sending') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'message % is %, and stays so', OLD.id, OLD.state USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.public_id, NEW.partner_id, NEW.channel, NEW.event_key, NEW.recipient, NEW.subject, NEW.text)
            IS DISTINCT FROM
       (OLD.public_id, OLD.partner_id, OLD.channel, OLD.event_key, OLD.recipient, OLD.subject, OLD.text)
       AND OLD.state IN ('waiting', 'sending') THEN
        RAISE EXCEPTION 'message % is on its way and is not rewritten', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER messages_message_stays BEFORE UPDATE ON messages_message
    FOR EACH ROW EXECUTE FUNCTION messages_message_stays();
"""

REVERSE = """
DROP TRIGGER messages_message_stays ON messages_message;
DROP FUNCTION messages_message_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("demarc_messages", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
