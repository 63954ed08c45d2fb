import datetime
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("base", "0002_guards"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LowEpisode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="customers.account"
                    ),
                ),
            ],
            options={
                "db_table": "messages_lowepisode",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("account",), name="messages_lowepisode_one_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MailServer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host", models.CharField(max_length=253)),
                ("port", models.PositiveIntegerField(default=587)),
                (
                    "security",
                    models.CharField(
                        choices=[("none", "None"), ("starttls", "STARTTLS"), ("tls", "TLS from the start")],
                        default="starttls",
                        max_length=10,
                    ),
                ),
                ("username", models.CharField(blank=True, max_length=254)),
                ("password", models.BinaryField(help_text="Sealed (base.vault).", null=True)),
                ("from_name", models.CharField(blank=True, max_length=120)),
                ("from_address", models.CharField(max_length=254)),
                ("reply_to", models.CharField(blank=True, max_length=254)),
                (
                    "partner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mail_server", to="base.partner"
                    ),
                ),
            ],
            options={
                "db_table": "messages_mailserver",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("security__in", ["none", "starttls", "tls"])),
                        name="messages_mailserver_security",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("port__range", (1, 65535))), name="messages_mailserver_port"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("security", "none"), _negated=True), ("password", None), _connector="OR"
                        ),
                        name="messages_mailserver_no_bare_password",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("kind", models.CharField(max_length=30)),
                ("channel", models.CharField(choices=[("mail", "E-mail"), ("sms", "SMS")], max_length=4)),
                ("event_key", models.CharField(max_length=120)),
                ("language", models.CharField(max_length=5)),
                ("recipient", models.CharField(blank=True, max_length=254)),
                ("subject", models.CharField(blank=True, max_length=300)),
                ("text", models.TextField()),
                ("html", models.TextField(blank=True)),
                ("attachments", models.JSONField(default=list, help_text='[{"kind": ..., "id": ...}]')),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Being sent"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                            ("dropped", "Dropped"),
                            ("dry_run", "Dry run"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "trouble",
                    models.CharField(blank=True, help_text="Why it has not been sent, in words.", max_length=500),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by_label", models.CharField(max_length=150)),
                ("not_before", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("claimed_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(help_text="When it was sent, failed or dropped.", null=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="customers.account",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="customers.customer",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="base.partner"
                    ),
                ),
                (
                    "resent_from",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="demarc_messages.message",
                    ),
                ),
            ],
            options={
                "db_table": "messages_message",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "sending"])),
                        fields=["partner", "channel", "not_before", "id"],
                        name="messages_message_due",
                    ),
                    models.Index(fields=["customer", "-id"], name="messages_message_customer"),
                    models.Index(fields=["partner", "-id"], name="messages_message_newest"),
                    models.Index(
                        condition=models.Q(("state", "failed")),
                        fields=["partner", "-ended_at"],
                        name="messages_message_failed",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "event_key", "channel"), name="messages_message_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "sending", "sent", "failed", "dropped", "dry_run"])
                        ),
                        name="messages_message_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["mail", "sms"])), name="messages_message_channel"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "invoice_created",
                                    "payment_received",
                                    "overdue",
                                    "reminder",
                                    "service_on_hold",
                                    "service_restored",
                                    "running_low",
                                    "note",
                                    "test",
                                ],
                            )
                        ),
                        name="messages_message_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("claimed_at__isnull", False), ("state", "sending")),
                            models.Q(("state", "sending"), _negated=True),
                            _connector="OR",
                        ),
                        name="messages_message_claimed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state__in", ["waiting", "sending"])),
                            models.Q(
                                models.Q(("state__in", ["waiting", "sending"]), _negated=True),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="messages_message_ended",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Rules",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "dry_run",
                    models.BooleanField(default=True, help_text="Messages are written down and nothing leaves."),
                ),
                (
                    "channels",
                    models.JSONField(
                        default=dict, help_text="Kind to its channels; a kind that is not named goes by its usual ones."
                    ),
                ),
                (
                    "quiet_from",
                    models.TimeField(
                        default=datetime.time(21, 0), help_text="On the customer's clock; the same as the end: never."
                    ),
                ),
                ("quiet_until", models.TimeField(default=datetime.time(8, 0))),
                ("quiet_mail", models.BooleanField(default=False, help_text="Whether e-mail keeps the quiet hours.")),
                ("quiet_sms", models.BooleanField(default=True)),
                ("low_days", models.PositiveSmallIntegerField(default=3)),
                ("low_hour", models.PositiveSmallIntegerField(default=10)),
                (
                    "low_looked_on",
                    models.DateField(help_text="The provider's day of the last look for low balances.", null=True),
                ),
                (
                    "partner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="message_rules", to="base.partner"
                    ),
                ),
            ],
            options={
                "db_table": "messages_rules",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("low_days__range", (1, 30))), name="messages_rules_low_days"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("low_hour__range", (0, 23))), name="messages_rules_low_hour"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SmsGateway",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("method", models.CharField(choices=[("POST", "POST"), ("GET", "GET")], default="POST", max_length=4)),
                ("url", models.CharField(max_length=1000)),
                ("headers", models.TextField(blank=True, help_text="One a line: Name: value.")),
                (
                    "body_form",
                    models.CharField(
                        choices=[("form", "Form fields"), ("json", "JSON"), ("text", "Plain text")],
                        default="form",
                        max_length=4,
                    ),
                ),
                ("body", models.TextField(blank=True)),
                ("sender", models.CharField(blank=True, max_length=60)),
                ("token", models.BinaryField(help_text="Sealed (base.vault).", null=True)),
                (
                    "success_text",
                    models.CharField(blank=True, help_text="What a good answer holds besides 2xx.", max_length=200),
                ),
                (
                    "loopback",
                    models.BooleanField(default=False, help_text="Honoured only where the clock may be moved, too."),
                ),
                (
                    "partner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sms_gateway", to="base.partner"
                    ),
                ),
            ],
            options={
                "db_table": "messages_smsgateway",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("method__in", ["POST", "GET"])), name="messages_smsgateway_method"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("body_form__in", ["form", "json", "text"])),
                        name="messages_smsgateway_body_form",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Wording",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("kind", models.CharField(max_length=30)),
                ("channel", models.CharField(choices=[("mail", "E-mail"), ("sms", "SMS")], max_length=4)),
                ("language", models.CharField(max_length=5)),
                ("subject", models.CharField(blank=True, max_length=300)),
                ("text", models.TextField()),
                ("html", models.TextField(blank=True, help_text="Empty: made from the text.")),
                (
                    "partner",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="base.partner"),
                ),
            ],
            options={
                "db_table": "messages_wording",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("partner", "kind", "channel", "language"), name="messages_wording_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "invoice_created",
                                    "payment_received",
                                    "overdue",
                                    "reminder",
                                    "service_on_hold",
                                    "service_restored",
                                    "running_low",
                                ],
                            )
                        ),
                        name="messages_wording_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["mail", "sms"])), name="messages_wording_channel"
                    ),
                ],
            },
        ),
    ]
