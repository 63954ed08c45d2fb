"""NAS clients, subscribers, sessions, CoA intents and address leases: what radiusd reads, writes and sends.

radiusd reaches these tables by SQL of its own (radiusd.store) as role demarc_radius; a test compares the names.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now

from demarc.access.models_fair_use import FairUse as FairUse
from demarc.access.models_fair_use import FairUseAnswer as FairUseAnswer
from demarc.access.models_fair_use import MonthUse as MonthUse
from demarc.access.models_nat import NatRange as NatRange
from demarc.access.models_pools import PoolPeak as PoolPeak
from demarc.base.fields import CidrField, MacField, TransactionIdField
from demarc.base.models import Partner, choices_check
from demarc.network.models import Pool, Router
from demarc.plans.models import Service


class RequireAuthenticator(models.TextChoices):
    YES = "yes", "Required"
    AUTO = "auto", "As the first packet shows"
    NO = "no", "Not required"


class CoaState(models.TextChoices):
    """What has come of an order (core.enforcement.State)."""

    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"
    ACK = "ack", "Router confirmed"
    CONFIRMED = "confirmed", "Seen in accounting"
    NAK = "nak", "Refused"
    LATER = "later", "Refused for now"
    NO_ANSWER = "no_answer", "No answer"
    GONE = "gone", "The session is over"
    IGNORED = "ignored", "Confirmed, but not done"
    SUPERSEDED = "superseded", "Replaced by a newer one"
    NOT_SENT = "not_sent", "The router takes no CoA"


class Ending(models.TextChoices):
    """How we learned that a session is over (core.sessions.Ending)."""

    STOP = "stop", "Stop"
    REBOOT = "reboot", "Restart of the router"
    STALE = "stale", "Not heard of any more"


class MovingMode(models.TextChoices):
    """What is done with a NAS's packets while its customers move here from another RADIUS server."""

    OFF = "off", "Not used"
    UNKNOWN = "unknown", "Pass on those we do not know"
    COMPARE = "compare", "Pass on everything and compare"
    LISTEN = "listen", "Only listen: answer nothing"


class Outcome(models.TextChoices):
    """What a request for access came to."""

    ACCEPT = "accept", "Accepted"
    LIMITED = "limited", "Accepted, limited"
    REJECT = "reject", "Rejected"
    CHALLENGE = "challenge", "Asked on"
    SILENT = "silent", "No answer"


class AnsweredBy(models.TextChoices):
    """Whose answer the NAS got."""

    US = "us", "Us"
    OLD = "old", "The old server"
    NOBODY = "nobody", "Nobody"


class FairUseState(models.TextChoices):
    """What a service has after it used up its month's volume; empty: it has not, or is blocked for something else."""

    SLOWED = "slowed", "Slowed down"
    BLOCKED = "blocked", "Blocked"


class CoaKind(models.TextChoices):
    COA = "coa", "CoA"
    DISCONNECT = "disconnect", "Disconnect"


class Nas(models.Model):
    """A RADIUS client: a router as the packets' source. Known by source address, never by NAS-IP-Address."""

    router = models.OneToOneField(Router, models.PROTECT, related_name="nas")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+")
    address = models.GenericIPAddressField(unique=True)
    secret = models.BinaryField(help_text="Sealed for radiusd (base.seal).")
    require_authenticator = models.CharField(
        max_length=4, choices=RequireAuthenticator.choices, default=RequireAuthenticator.AUTO
    )
    coa_enabled = models.BooleanField(default=True)
    coa_port = models.PositiveIntegerField(default=3799)
    block_by = models.CharField(max_length=10, choices=CoaKind.choices, default=CoaKind.COA)
    interim_s = models.PositiveIntegerField(default=300)
    framed_pool = models.CharField(max_length=60, blank=True, help_text="Set: the NAS allocates from this pool of its.")
    node = models.CharField(max_length=60, default="main", help_text="The radiusd node that owns it.")
    boot_epoch = models.PositiveIntegerField(default=0)
    booted_at = models.DateTimeField(null=True, help_text="When the latest boot epoch began (Accounting-On or -Off).")
    last_seen_at = models.DateTimeField(null=True)
    sends_authenticator = models.BooleanField(null=True, help_text="Seen in its requests; null: nothing seen yet.")

    class Meta:
        constraints = [
            choices_check("require_authenticator", RequireAuthenticator, "access_nas_require"),
            models.CheckConstraint(condition=Q(interim_s__range=(60, 86400)), name="access_nas_interim"),
            models.CheckConstraint(condition=Q(coa_port__range=(1, 65535)), name="access_nas_coa_port"),
        ]

    def __str__(self) -> str:
        return f"{self.router} ({self.address})"


class Subscriber(models.Model):
    """A login of a service, with all that a packet needs in one row; from `active` on projected by actions."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="subscribers", db_index=False)
    realm = models.CharField(max_length=60, blank=True)
    login = models.CharField(max_length=120)
    secret = models.BinaryField(help_text="Sealed for radiusd (base.seal); empty: to be learned (Learned).")
    bind_mac = models.BooleanField(default=False, help_text="Only the MACs listed may connect.")
    learn_macs = models.PositiveSmallIntegerField(default=0, help_text="With bind_mac: take the first so many.")
    learn_replaces = models.BooleanField(default=False, help_text="A further MAC takes the place of the oldest.")
    simultaneous_limit = models.PositiveSmallIntegerField(default=1)
    pool = models.ForeignKey(Pool, models.PROTECT, null=True, blank=True, related_name="+")
    nas = models.ForeignKey(Nas, models.SET_NULL, null=True, blank=True, related_name="+")
    nas_port_id = models.CharField(
        max_length=100, blank=True, help_text="Set: only at this port, or circuit or remote id of option 82."
    )
    session_timeout_s = models.PositiveIntegerField(default=0)
    active = models.BooleanField(default=False, help_text="The service is in use (state active); false: cause 1.")
    cause = models.PositiveSmallIntegerField(null=True, default=1, help_text="Why blocked (customers.BlockCause).")
    since = models.DateTimeField(db_default=Now())
    static_ipv4 = models.GenericIPAddressField(protocol="IPv4", null=True)
    framed_ipv6_prefix = CidrField(null=True)
    delegated_prefix = CidrField(null=True)
    framed_ipv6 = models.GenericIPAddressField(protocol="IPv6", null=True)
    routes: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=60), default=list)
    macs: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=17), default=list)
    down_kbps = models.PositiveIntegerField(default=0)
    up_kbps = models.PositiveIntegerField(default=0)
    rate_limit = models.CharField(max_length=120, blank=True, help_text="Mikrotik-Rate-Limit, ready to send.")
    owed = models.BigIntegerField(null=True, help_text="Cause 2: what must be paid to be online, minor units.")
    owed_currency = models.CharField(max_length=3, blank=True)
    fair_use = models.CharField(
        max_length=8, choices=FairUseState.choices, blank=True, db_default="", help_text="After the month's volume."
    )
    learned_at = models.DateTimeField(null=True, help_text="When the old server taught us the password.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "realm", "login"], name="access_subscriber_login"),
            models.CheckConstraint(condition=~Q(login=""), name="access_subscriber_has_login"),
            models.CheckConstraint(condition=Q(simultaneous_limit__range=(1, 100)), name="access_subscriber_limit"),
            models.CheckConstraint(condition=Q(fair_use__in=("", "slowed", "blocked")), name="access_subscriber_fair"),
        ]
        indexes = [models.Index(fields=["service"], name="access_subscriber_service")]

    def __str__(self) -> str:
        return self.login


class StaticAddress(models.Model):
    """An address held by a subscriber; one active holder per (vrf, address), by constraint."""

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="addresses")
    vrf = models.PositiveIntegerField(default=0)
    address = models.GenericIPAddressField()
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["vrf", "address"], condition=Q(active=True), name="access_staticaddress_one_holder"
            )
        ]


class PrefixKind(models.TextChoices):
    """How a customer gets it (RFC 3162, RFC 4818, RFC 6911)."""

    FRAMED = "framed", "Prefix of the line"
    DELEGATED = "delegated", "Delegated prefix"
    ADDRESS = "address", "Address"


class StaticPrefix(models.Model):
    """IPv6 held by a subscriber, an address as /128; no two active ones overlap (exclusion constraint in 0003)."""

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="prefixes")
    kind = models.CharField(max_length=10, choices=PrefixKind.choices)
    prefix = CidrField()
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            choices_check("kind", PrefixKind, "access_staticprefix_kind"),
            models.UniqueConstraint(
                fields=["subscriber", "kind"], condition=Q(active=True), name="access_staticprefix_one_each"
            ),
        ]


class BoundMac(models.Model):
    """A MAC held by a subscriber; one active holder, by constraint."""

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="bound_macs")
    mac = MacField()
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mac"], condition=Q(active=True), name="access_boundmac_one_holder")
        ]


class Policy(models.Model):
    """A partner's settings that radiusd needs, as JSON (access.actions.publish_policy writes the shape)."""

    partner = models.OneToOneField(Partner, models.CASCADE, related_name="+")
    body: models.JSONField[Any, Any] = models.JSONField()


class Feed(models.Model):
    """News for radiusd, written in the fact's own transaction; kind is nas | subscriber | policy | pool | due."""

    xid = TransactionIdField(db_default=Func(function="pg_current_xact_id"))
    kind = models.CharField(max_length=12)
    key = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["xid"], name="access_feed_xid")]


class SessionLive(models.Model):
    """A session that is on now. Never partitioned; unique per NAS and key, and per (vrf, address)."""

    # Not indexed by itself: a planner without statistics would look a session up by its NAS, among thousands.
    nas = models.ForeignKey(Nas, models.PROTECT, related_name="+", db_index=False)
    boot_epoch = models.PositiveIntegerField()
    session_id = models.CharField(max_length=128)
    user_name = models.CharField(max_length=253)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+")
    subscriber = models.ForeignKey(Subscriber, models.PROTECT, null=True, related_name="sessions", db_index=False)
    service = models.ForeignKey(Service, models.PROTECT, null=True, related_name="sessions", db_index=False)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    event_at = models.DateTimeField(null=True, help_text="Event-Timestamp, the NAS's own clock.")
    calling_station = models.CharField(max_length=80, blank=True)
    called_station = models.CharField(max_length=120, blank=True)
    nas_port_id = models.CharField(max_length=120, blank=True)
    vrf = models.PositiveIntegerField(default=0)
    framed_ipv4 = models.GenericIPAddressField(null=True)
    framed_ipv6_prefix = CidrField(null=True)
    delegated_prefix = CidrField(null=True)
    framed_ipv6 = models.GenericIPAddressField(null=True)
    session_time_s = models.BigIntegerField(default=0)
    input_octets = models.BigIntegerField(default=0, help_text="From the customer (upload).")
    output_octets = models.BigIntegerField(default=0, help_text="To the customer (download).")
    gigawords_seen = models.BooleanField(default=False)
    list_name = models.CharField(max_length=60, blank=True, help_text="The list we put it in last; empty: none.")
    counting: models.JSONField[Any, Any] = models.JSONField(default=dict, help_text="radiusd's counter readings.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["nas", "boot_epoch", "session_id", "user_name"], name="access_sessionlive_key"
            ),
            models.UniqueConstraint(
                fields=["vrf", "framed_ipv4"],
                condition=Q(framed_ipv4__isnull=False),
                name="access_sessionlive_address",
            ),
        ]
        indexes = [
            models.Index(fields=["subscriber"], name="access_sessionlive_subscriber"),
            models.Index(fields=["service"], name="access_sessionlive_service"),
        ]


class SessionLog(models.Model):
    """An ended session; partitioned by month of start (0002), append-only, never a foreign-key target."""

    id = models.BigIntegerField(primary_key=True)
    nas_id = models.BigIntegerField()
    boot_epoch = models.PositiveIntegerField()
    session_id = models.CharField(max_length=128)
    user_name = models.CharField(max_length=253)
    partner_id = models.BigIntegerField()
    subscriber_id = models.BigIntegerField(null=True)
    service_id = models.BigIntegerField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    event_at = models.DateTimeField(null=True)
    calling_station = models.CharField(max_length=80)
    called_station = models.CharField(max_length=120)
    nas_port_id = models.CharField(max_length=120)
    vrf = models.PositiveIntegerField()
    framed_ipv4 = models.GenericIPAddressField(null=True)
    framed_ipv6_prefix = CidrField(null=True)
    delegated_prefix = CidrField(null=True)
    framed_ipv6 = models.GenericIPAddressField(null=True)
    session_time_s = models.BigIntegerField()
    input_octets = models.BigIntegerField()
    output_octets = models.BigIntegerField()
    terminate_cause = models.PositiveSmallIntegerField()
    ending = models.CharField(max_length=8, choices=Ending.choices)
    counting: models.JSONField[Any, Any] = models.JSONField(null=True, help_text="Unless told by the row.")

    class Meta:
        managed = False
        db_table = "access_sessionlog"


class Bookmark(models.Model):
    """How far a node's accounting journal has been applied; written in the same transaction as the rows."""

    node = models.CharField(max_length=60, unique=True)
    file = models.BigIntegerField(default=0)
    offset = models.BigIntegerField(default=0)
    at = models.DateTimeField(db_default=Now())


class Usage(models.Model):
    """Octets of a service in one hour (UTC), added up from accounting."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="usage", db_index=False)
    hour = models.DateTimeField()
    input_octets = models.BigIntegerField(default=0)
    output_octets = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "hour"], name="access_usage_hour")]


class CoaIntent(models.Model):
    """What a session's NAS shall be told. radiusd claims, sends and records the answer; unblock goes first.

    From `created_at`, when it was wanted, to `answered_at`, the router's last answer, and `confirmed_at`, when
    accounting showed it. A disconnect that `follows` a change that was refused keeps the change's `created_at`.
    """

    nas = models.ForeignKey(Nas, models.CASCADE, related_name="+", db_index=False)
    node = models.CharField(max_length=60)
    subscriber = models.ForeignKey(Subscriber, models.CASCADE, null=True, related_name="intents", db_index=False)
    kind = models.CharField(max_length=10, choices=CoaKind.choices)
    unblock = models.BooleanField(default=False)
    fair_use = models.BooleanField(default=False, db_default=False, help_text="About a block by fair use, or its end.")
    list_name = models.CharField(max_length=60, blank=True, help_text="For CoA: the list to set.")
    rate_limit = models.CharField(max_length=120, blank=True)
    user_name = models.CharField(max_length=253)
    session_id = models.CharField(max_length=128)
    framed_ipv4 = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=10, choices=CoaState.choices, default=CoaState.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True, help_text="When accounting showed that it was done.")
    error_cause = models.PositiveSmallIntegerField(null=True)
    follows = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            choices_check("state", CoaState, "access_coaintent_state"),
            choices_check("kind", CoaKind, "access_coaintent_kind"),
        ]
        indexes = [
            models.Index(
                fields=["node", "-unblock", "due_at"],
                condition=Q(state__in=["queued", "sent", "no_answer", "later", "ignored"], tries__lt=5),
                name="access_coa_due",
            ),
            models.Index(
                fields=["id"],
                condition=Q(state__in=["queued", "sent", "ack", "nak", "later", "no_answer", "ignored"]),
                name="access_coa_open",
            ),
            models.Index(fields=["subscriber", "-id"], name="access_coa_subscriber"),
            models.Index(fields=["nas", "session_id", "user_name", "-id"], name="access_coa_session"),
            models.Index(fields=["created_at"], name="access_coa_created"),
        ]


class PoolBlock(models.Model):
    """A run of a pool's addresses or prefixes leased to one radiusd process, which alone gives them out."""

    pool = models.ForeignKey(Pool, models.CASCADE, related_name="blocks")
    first = models.GenericIPAddressField()
    last = models.GenericIPAddressField()
    size = models.PositiveIntegerField(help_text="How many addresses or prefixes.")
    owner = models.CharField(max_length=80, blank=True, help_text="node/process/start; empty: free.")
    taken_at = models.DateTimeField(null=True)
    free_after = models.DateTimeField(null=True, help_text="A dead owner's block waits for accounting until then.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pool", "first"], name="access_poolblock_first"),
            models.CheckConstraint(condition=Q(first__lte=F("last")), name="access_poolblock_order"),
        ]


class Lease(models.Model):
    """The address a service last had from a pool: sticky across restarts; written behind by radiusd."""

    pool = models.ForeignKey(Pool, models.CASCADE, related_name="leases", db_index=False)
    service = models.ForeignKey(Service, models.CASCADE, related_name="leases")
    address = models.GenericIPAddressField(help_text="Of a prefix: with its length.")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pool", "service"], name="access_lease_sticky")]


class MovingIn(models.Model):
    """The RADIUS server that a NAS had before us, and what we do with it until everybody has moved."""

    nas = models.OneToOneField(Nas, models.CASCADE, related_name="moving_in")
    mode = models.CharField(max_length=8, choices=MovingMode.choices, default=MovingMode.OFF)
    host = models.GenericIPAddressField(null=True)
    auth_port = models.PositiveIntegerField(default=1812)
    acct_port = models.PositiveIntegerField(default=1813)
    secret = models.BinaryField(default=bytes, help_text="Sealed for radiusd (base.seal); empty: there is no server.")
    timeout_ms = models.PositiveIntegerField(default=2000)
    learn = models.BooleanField(default=True, help_text="Learn passwords from PAP logins that it accepts.")

    class Meta:
        constraints = [
            choices_check("mode", MovingMode, "access_movingin_mode"),
            models.CheckConstraint(
                condition=Q(auth_port__range=(1, 65535), acct_port__range=(1, 65535)), name="access_movingin_ports"
            ),
            models.CheckConstraint(condition=Q(timeout_ms__range=(200, 5000)), name="access_movingin_timeout"),
            models.CheckConstraint(
                condition=Q(mode__in=["off", "listen"]) | Q(host__isnull=False), name="access_movingin_host"
            ),
        ]


class Learned(models.Model):
    """A password that radiusd saw the old server accept, sealed for the subscriber's row; a job takes it over."""

    subscriber = models.OneToOneField(Subscriber, models.CASCADE, related_name="+")
    nas = models.ForeignKey(Nas, models.CASCADE, related_name="+")
    sealed = models.BinaryField()
    at = models.DateTimeField(db_default=Now())


class Decision(models.Model):
    """How a request for access was answered and why; partitioned by day (0003), kept for a week, holds no password.

    `sent`, `old`: attributes as text, one an item, of our answer and of the old server's. `differs`: where ours would
    not have been the old server's.
    """

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    node = models.CharField(max_length=80)
    nas_id = models.BigIntegerField()
    partner_id = models.BigIntegerField()
    subscriber_id = models.BigIntegerField(null=True)
    login = models.CharField(max_length=253)
    found = models.CharField(max_length=8, help_text="exact | domain | none")
    method = models.CharField(max_length=8, help_text="pap | chap | mschap1 | mschap2 | eap | none")
    credentials = models.CharField(max_length=8, help_text="core.access.Check, or noise: the secrets differ")
    needs_proof = models.BooleanField()
    station = models.CharField(max_length=80)
    port = models.CharField(max_length=120)
    mac_rule = models.CharField(max_length=8, help_text="any | listed | other")
    others = models.PositiveSmallIntegerField()
    session_limit = models.PositiveSmallIntegerField()
    cause = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=9, choices=Outcome.choices)
    answered_by = models.CharField(max_length=6, choices=AnsweredBy.choices)
    why = models.CharField(max_length=200)
    address = models.GenericIPAddressField(null=True)
    address_from = models.CharField(max_length=12, help_text="core.access.Source")
    sent: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=300), default=list)
    old: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=300), default=list)
    differs: ArrayField[Any, Any] = ArrayField(models.CharField(max_length=300), default=list)

    class Meta:
        managed = False
        db_table = "access_decision"
