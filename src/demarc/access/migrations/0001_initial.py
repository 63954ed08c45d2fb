import demarc.base.fields
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("base", "0001_initial"),
        ("network", "0001_initial"),
        ("plans", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Bookmark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("node", models.CharField(max_length=60, unique=True)),
                ("file", models.BigIntegerField(default=0)),
                ("offset", models.BigIntegerField(default=0)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="Feed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("xid", demarc.base.fields.TransactionIdField(db_default=models.Func(function="pg_current_xact_id"))),
                ("kind", models.CharField(max_length=12)),
                ("key", models.BigIntegerField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "indexes": [models.Index(fields=["xid"], name="access_feed_xid")],
            },
        ),
        migrations.CreateModel(
            name="Nas",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.GenericIPAddressField(unique=True)),
                ("secret", models.BinaryField(help_text="Sealed for radiusd (base.seal).")),
                (
                    "require_authenticator",
                    models.CharField(
                        choices=[("yes", "Required"), ("auto", "As the first packet shows"), ("no", "Not required")],
                        default="auto",
                        max_length=4,
                    ),
                ),
                ("coa_enabled", models.BooleanField(default=True)),
                ("coa_port", models.PositiveIntegerField(default=3799)),
                (
                    "block_by",
                    models.CharField(
                        choices=[("coa", "CoA"), ("disconnect", "Disconnect")], default="coa", max_length=10
                    ),
                ),
                ("interim_s", models.PositiveIntegerField(default=300)),
                (
                    "framed_pool",
                    models.CharField(
                        blank=True, help_text="Set: the NAS allocates from this pool of its.", max_length=60
                    ),
                ),
                ("node", models.CharField(default="main", help_text="The radiusd node that owns it.", max_length=60)),
                ("boot_epoch", models.PositiveIntegerField(default=0)),
                (
                    "booted_at",
                    models.DateTimeField(
                        help_text="When the latest boot epoch began (Accounting-On or -Off).", null=True
                    ),
                ),
                ("last_seen_at", models.DateTimeField(null=True)),
                (
                    "sends_authenticator",
                    models.BooleanField(help_text="Seen in its requests; null: nothing seen yet.", null=True),
                ),
                (
                    "partner",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="base.partner"),
                ),
                (
                    "router",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="nas", to="network.router"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("require_authenticator__in", ["yes", "auto", "no"])),
                        name="access_nas_require",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("interim_s__range", (60, 86400))), name="access_nas_interim"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("coa_port__range", (1, 65535))), name="access_nas_coa_port"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("body", models.JSONField()),
                (
                    "partner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="base.partner"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PoolBlock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first", models.GenericIPAddressField()),
                ("last", models.GenericIPAddressField()),
                ("owner", models.CharField(blank=True, help_text="node/process/start; empty: free.", max_length=80)),
                ("taken_at", models.DateTimeField(null=True)),
                (
                    "free_after",
                    models.DateTimeField(help_text="A dead owner's block waits for accounting until then.", null=True),
                ),
                (
                    "pool",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="blocks", to="network.pool"
                    ),
                ),
                ("size", models.PositiveIntegerField(help_text="How many addresses or prefixes.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("pool", "first"), name="access_poolblock_first"),
                    models.CheckConstraint(
                        condition=models.Q(("first__lte", models.F("last"))), name="access_poolblock_order"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscriber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("realm", models.CharField(blank=True, max_length=60)),
                ("login", models.CharField(max_length=120)),
                (
                    "secret",
                    models.BinaryField(help_text="Sealed for radiusd (base.seal); empty: to be learned (Learned)."),
                ),
                ("bind_mac", models.BooleanField(default=False, help_text="Only the MACs listed may connect.")),
                ("simultaneous_limit", models.PositiveSmallIntegerField(default=1)),
                (
                    "nas_port_id",
                    models.CharField(
                        blank=True,
                        help_text="Set: only at this port, or circuit or remote id of option 82.",
                        max_length=100,
                    ),
                ),
                ("session_timeout_s", models.PositiveIntegerField(default=0)),
                (
                    "active",
                    models.BooleanField(
                        default=False, help_text="The service is in use (state active); false: cause 1."
                    ),
                ),
                (
                    "cause",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="Why blocked (customers.BlockCause).", null=True
                    ),
                ),
                ("since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("static_ipv4", models.GenericIPAddressField(null=True, protocol="IPv4")),
                (
                    "routes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, size=None
                    ),
                ),
                (
                    "macs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=17), default=list, size=None
                    ),
                ),
                ("down_kbps", models.PositiveIntegerField(default=0)),
                ("up_kbps", models.PositiveIntegerField(default=0)),
                (
                    "rate_limit",
                    models.CharField(blank=True, help_text="Mikrotik-Rate-Limit, ready to send.", max_length=120),
                ),
                (
                    "owed",
                    models.BigIntegerField(
                        help_text="Cause 2: what must be paid to be online, minor units.", null=True
                    ),
                ),
                ("owed_currency", models.CharField(blank=True, max_length=3)),
                (
                    "nas",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="access.nas",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="base.partner"
                    ),
                ),
                (
                    "pool",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="network.pool",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscribers",
                        to="plans.service",
                    ),
                ),
                (
                    "learned_at",
                    models.DateTimeField(help_text="When the old server taught us the password.", null=True),
                ),
                ("delegated_prefix", demarc.base.fields.CidrField(null=True)),
                ("framed_ipv6", models.GenericIPAddressField(null=True, protocol="IPv6")),
                ("framed_ipv6_prefix", demarc.base.fields.CidrField(null=True)),
                (
                    "learn_macs",
                    models.PositiveSmallIntegerField(default=0, help_text="With bind_mac: take the first so many."),
                ),
                (
                    "learn_replaces",
                    models.BooleanField(default=False, help_text="A further MAC takes the place of the oldest."),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["service"], name="access_subscriber_service")],
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "realm", "login"), name="access_subscriber_login"),
                    models.CheckConstraint(
                        condition=models.Q(("login", ""), _negated=True), name="access_subscriber_has_login"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("simultaneous_limit__range", (1, 100))), name="access_subscriber_limit"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StaticAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("vrf", models.PositiveIntegerField(default=0)),
                ("address", models.GenericIPAddressField()),
                ("active", models.BooleanField(default=True)),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="addresses", to="access.subscriber"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("active", True)),
                        fields=("vrf", "address"),
                        name="access_staticaddress_one_holder",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CoaIntent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("node", models.CharField(max_length=60)),
                ("kind", models.CharField(choices=[("coa", "CoA"), ("disconnect", "Disconnect")], max_length=10)),
                ("unblock", models.BooleanField(default=False)),
                ("list_name", models.CharField(blank=True, help_text="For CoA: the list to set.", max_length=60)),
                ("rate_limit", models.CharField(blank=True, max_length=120)),
                ("user_name", models.CharField(max_length=253)),
                ("session_id", models.CharField(max_length=128)),
                ("framed_ipv4", models.GenericIPAddressField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("due_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sent", "Sent"),
                            ("ack", "Router confirmed"),
                            ("confirmed", "Seen in accounting"),
                            ("nak", "Refused"),
                            ("later", "Refused for now"),
                            ("no_answer", "No answer"),
                            ("gone", "The session is over"),
                            ("ignored", "Confirmed, but not done"),
                            ("superseded", "Replaced by a newer one"),
                            ("not_sent", "The router takes no CoA"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("error_cause", models.PositiveSmallIntegerField(null=True)),
                (
                    "nas",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="access.nas"
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="intents",
                        to="access.subscriber",
                    ),
                ),
                ("confirmed_at", models.DateTimeField(help_text="When accounting showed that it was done.", null=True)),
                (
                    "follows",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="access.coaintent",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subscriber", "-id"], name="access_coa_subscriber"),
                    models.Index(
                        condition=models.Q(
                            ("state__in", ["queued", "sent", "no_answer", "later", "ignored"]), ("tries__lt", 5)
                        ),
                        fields=["node", "-unblock", "due_at"],
                        name="access_coa_due",
                    ),
                    models.Index(fields=["nas", "session_id", "user_name", "-id"], name="access_coa_session"),
                    models.Index(fields=["created_at"], name="access_coa_created"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["coa", "disconnect"])), name="access_coaintent_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "queued",
                                    "sent",
                                    "ack",
                                    "confirmed",
                                    "nak",
                                    "later",
                                    "no_answer",
                                    "gone",
                                    "ignored",
                                    "superseded",
                                    "not_sent",
                                ],
                            )
                        ),
                        name="access_coaintent_state",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BoundMac",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mac", demarc.base.fields.MacField()),
                ("active", models.BooleanField(default=True)),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="bound_macs", to="access.subscriber"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("active", True)), fields=("mac",), name="access_boundmac_one_holder"
                    )
                ],
            },
        ),
    ]
