"""Words by which things are found, and the functions that make them. The rooms' triggers write them, as the owner: the
app may only read them (project.roles)."""

import django.db.models.deletion
from django.db import migrations, models

FUNCTIONS = r"""
-- As demarc.base.words.folded: small letters without accents.
CREATE FUNCTION demarc_folded(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    lower(regexp_replace(normalize(given, NFKD), '[\u0300-\u036f]', '', 'g'));

-- What stands between spaces, and the parts of it: o'brien, o, brien.
CREATE FUNCTION demarc_words(given text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT left(word, 100) FROM (
        SELECT btrim(token, '.,;:+#()"''') AS word FROM regexp_split_to_table(demarc_folded(given), '\s+') token
        UNION SELECT regexp_split_to_table(demarc_folded(given), '[^[:alnum:]]+')
    ) made WHERE word <> ''
$$;

-- A phone number from each of its groups on, and without a country code of one to three digits.
CREATE FUNCTION demarc_phone_words(given text) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_string(parts[i:], '') FROM
        (SELECT regexp_split_to_array(btrim(regexp_replace(given, '\D+', ' ', 'g')), ' ') AS parts) made,
        generate_subscripts(parts, 1) i WHERE parts[i] <> ''
    UNION SELECT substr(regexp_replace(given, '\D+', '', 'g'), 1 + code) FROM generate_series(1, 3) code
    WHERE given ~ '^\+\d{8}'
$$;
"""
DROP = """
DROP FUNCTION demarc_phone_words(text);
DROP FUNCTION demarc_words(text);
DROP FUNCTION demarc_folded(text);
"""
INDEX = """
CREATE INDEX base_searchword_begins ON base_searchword (word text_pattern_ops, kind, subject_id, partner_id)
"""


class Migration(migrations.Migration):
    dependencies = [("base", "0003_sealed_log")]
    operations = [
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "kind", "subject_id", "word", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("word", models.CharField(db_collation="C", max_length=100)),
                ("kind", models.CharField(max_length=20)),
                ("subject_id", models.BigIntegerField()),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="base.partner",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(INDEX, "DROP INDEX base_searchword_begins"),
        migrations.RunSQL(FUNCTIONS, DROP),
    ]
