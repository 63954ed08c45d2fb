"""Indexes by which documents are found by number, and documents and payments stand in the order of their days."""

from django.db import migrations

INDEXES = """
CREATE INDEX billing_document_begins ON billing_document (number varchar_pattern_ops);
CREATE INDEX billing_document_days ON billing_document (issued_on, id);
CREATE INDEX billing_payment_days ON billing_payment (received_on, id);
"""
DROP = """
DROP INDEX billing_payment_days;
DROP INDEX billing_document_days;
DROP INDEX billing_document_begins;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_lean")]
    operations = [migrations.RunSQL(INDEXES, DROP)]
