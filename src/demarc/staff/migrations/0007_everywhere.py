"""That somebody works for all providers is said of him, no more what follows from naming none; and a transaction under
row policies knows whom it has made by his id, not by the time."""

from django.db import migrations, models

SAID = """
UPDATE staff_login holder SET everywhere = true WHERE kind = 'staff'
    AND NOT EXISTS (SELECT FROM staff_login_partners named WHERE named.login_id = holder.id);
UPDATE staff_apitoken holder SET everywhere = true
    WHERE NOT EXISTS (SELECT FROM staff_apitoken_partners named WHERE named.apitoken_id = holder.id);
"""
MADE = """
CREATE FUNCTION demarc_note_made() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    made text := nullif(current_setting('demarc.made', true), '');
BEGIN
    IF coalesce(current_setting('demarc.partners', true), '') <> '' THEN
        PERFORM set_config('demarc.made', concat_ws(' ', made, TG_ARGV[0] || ':' || NEW.id), true);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER staff_login_made BEFORE INSERT ON staff_login
    FOR EACH ROW EXECUTE FUNCTION demarc_note_made('staff');
CREATE TRIGGER staff_apitoken_made BEFORE INSERT ON staff_apitoken
    FOR EACH ROW EXECUTE FUNCTION demarc_note_made('token');
"""
UNMADE = """
DROP TRIGGER staff_apitoken_made ON staff_apitoken;
DROP TRIGGER staff_login_made ON staff_login;
DROP FUNCTION demarc_note_made();
"""


class Migration(migrations.Migration):
    dependencies = [("staff", "0006_saved_views")]
    operations = [
        migrations.AlterField(
            model_name="login",
            name="partners",
            field=models.ManyToManyField(blank=True, to="base.partner"),
        ),
        migrations.AddField(
            model_name="login",
            name="everywhere",
            field=models.BooleanField(default=False, help_text="For all partners, while none is named."),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="everywhere",
            field=models.BooleanField(default=False, help_text="For all partners, while none is named."),
        ),
        migrations.RunSQL(SAID, migrations.RunSQL.noop),
        migrations.RunSQL(MADE, UNMADE),
    ]
