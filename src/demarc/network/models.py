"""Sites, routers, address pools, and what a blocked customer meets. Knows no session and no secret."""

from django.db import models
from django.db.models import F, Q

from demarc.base.fields import CidrField
from demarc.base.models import Partner, choices_check


class NasType(models.TextChoices):
    """Makes of routers (wire.radius.makes.Make)."""

    MIKROTIK = "mikrotik", "MikroTik"
    ACCEL = "accel", "accel-ppp"
    CISCO = "cisco", "Cisco IOS and IOS-XE"
    GENERIC = "generic", "Other (RADIUS only)"


class PoolKind(models.TextChoices):
    DYNAMIC = "dynamic", "Dynamic"
    STATIC = "static", "Static"
    REJECT = "reject", "Reject"
    PREFIX = "prefix", "IPv6 prefix of the line"
    DELEGATED = "delegated", "IPv6 prefix for the customer's router"


PREFIX_KINDS = (PoolKind.PREFIX, PoolKind.DELEGATED)
LEASED = (PoolKind.DYNAMIC, PoolKind.REJECT, *PREFIX_KINDS)
"""The kinds that radiusd gives out by the block."""


class CauseAnswer(models.TextChoices):
    LIST = "list", "Accept, own address, in the list"
    POOL = "pool", "Accept, address of the reject pool"
    REJECT = "reject", "Access-Reject"


class Site(models.Model):
    """A place where routers stand."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="sites")
    name = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "name"], name="network_site_name")]

    def __str__(self) -> str:
        return self.name


class Router(models.Model):
    """A device that customers connect through."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="routers")
    site = models.ForeignKey(Site, models.PROTECT, null=True, blank=True, related_name="routers")
    name = models.CharField(max_length=120)
    nas_type = models.CharField(max_length=12, choices=NasType.choices, default=NasType.MIKROTIK)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "name"], name="network_router_name"),
            choices_check("nas_type", NasType, "network_router_nas_type"),
        ]

    def __str__(self) -> str:
        return self.name


class Pool(models.Model):
    """A network whose addresses, or IPv6 prefixes of `prefix_length`, are given to sessions. Two pools never overlap
    (exclusion constraint in 0002; kind and family go together: 0004)."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="pools")
    router = models.ForeignKey(Router, models.PROTECT, null=True, blank=True, related_name="pools")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=PoolKind.choices, default=PoolKind.DYNAMIC)
    vrf = models.PositiveIntegerField(default=0)
    network = CidrField()
    prefix_length = models.PositiveSmallIntegerField(default=32, db_default=32)
    first = models.GenericIPAddressField()
    last = models.GenericIPAddressField(help_text="Of a pool of prefixes: the address of the last one.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "name"], name="network_pool_name"),
            models.CheckConstraint(condition=Q(first__lte=F("last")), name="network_pool_order"),
            choices_check("kind", PoolKind, "network_pool_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.network})"


class CauseRule(models.Model):
    """A row of the table cause -> list -> reject pool -> page port, which alone drives answers, router rules, pages."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="cause_rules")
    cause = models.PositiveSmallIntegerField()
    list_name = models.CharField(max_length=60)
    pool = models.ForeignKey(Pool, models.PROTECT, null=True, related_name="+")
    page_port = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "cause"], name="network_causerule_cause"),
            models.CheckConstraint(condition=Q(cause__range=(0, 4)), name="network_causerule_range"),
            models.CheckConstraint(condition=Q(page_port__range=(1, 65535)), name="network_causerule_port"),
            models.CheckConstraint(condition=~Q(list_name=""), name="network_causerule_list"),
        ]


class RouterCause(models.Model):
    """What one router's customers get for a cause; without a row: as in core.access.DEFAULT_ANSWERS."""

    router = models.ForeignKey(Router, models.CASCADE, related_name="causes")
    cause = models.PositiveSmallIntegerField()
    answer = models.CharField(max_length=8, choices=CauseAnswer.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["router", "cause"], name="network_routercause_cause"),
            choices_check("answer", CauseAnswer, "network_routercause_answer"),
        ]


class SecondSession(models.TextChoices):
    """What happens when somebody comes who has as many sessions as he may have."""

    REFUSE = "refuse", "The new one is refused"
    REPLACE = "replace", "The oldest one is cut for the new one"


class NasAnswers(models.Model):
    """What routers of one make are told (wire.radius.templates); without a row: as shipped (queries.nas_answers). The
    two for fair use are for whom it blocks; empty: as `coa_block` and `coa_restore`."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+")
    nas_type = models.CharField(max_length=12, choices=NasType.choices)
    block = models.CharField(max_length=8, choices=CauseAnswer.choices)
    second = models.CharField(max_length=8, choices=SecondSession.choices, default=SecondSession.REFUSE)
    online = models.TextField(max_length=4000, blank=True)
    blocked = models.TextField(max_length=4000, blank=True)
    coa_block = models.TextField(max_length=4000, blank=True)
    coa_restore = models.TextField(max_length=4000, blank=True)
    coa_fair_use = models.TextField(max_length=4000, blank=True, default="")
    coa_fair_restore = models.TextField(max_length=4000, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "nas_type"], name="network_nasanswers_type"),
            choices_check("nas_type", NasType, "network_nasanswers_nas_type"),
            choices_check("block", CauseAnswer, "network_nasanswers_block"),
            choices_check("second", SecondSession, "network_nasanswers_second"),
        ]


class BlockingPage(models.Model):
    """A partner's words and looks for the pages that blocked customers see; an empty text keeps the shipped one."""

    partner = models.OneToOneField(Partner, models.CASCADE, related_name="blocking_page")
    title = models.CharField(max_length=120, blank=True)
    message = models.TextField(max_length=4000, blank=True)
    how_to_pay = models.TextField(max_length=4000, blank=True)
    colour = models.CharField(max_length=7, default="#0054a6")
    logo = models.BinaryField(null=True)
    logo_type = models.CharField(max_length=30, blank=True)
