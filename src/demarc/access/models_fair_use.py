"""What a plan lets a service use in a month, what was used, and what a router is told when it is used up."""

from django.db import models
from django.db.models import Q

from demarc.base.models import Partner, choices_check
from demarc.network.models import NasType
from demarc.plans.models import Plan, Service

GB = 10**9
"""As plans are sold: decimal."""


class Counts(models.TextChoices):
    """Which octets count, as the customer sees them."""

    BOTH = "both", "Download and upload"
    DOWN = "down", "Download"
    UP = "up", "Upload"


class FairUse(models.Model):
    """A plan's volume of a month (of its partner's zone), and the speed after it; no speed: blocked until the month is
    over."""

    plan = models.OneToOneField(Plan, models.CASCADE, related_name="fair_use")
    monthly_gb = models.PositiveIntegerField()
    counts = models.CharField(max_length=4, choices=Counts.choices, default=Counts.BOTH)
    down_kbps = models.PositiveIntegerField(default=0)
    up_kbps = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(monthly_gb__range=(1, 1_000_000)), name="access_fairuse_gb"),
            models.CheckConstraint(
                condition=Q(down_kbps=0, up_kbps=0)
                | Q(down_kbps__range=(1, 400_000_000), up_kbps__range=(1, 400_000_000)),
                name="access_fairuse_speed",
            ),
            choices_check("counts", Counts, "access_fairuse_counts"),
        ]

    @property
    def blocks(self) -> bool:
        return self.down_kbps == 0


class MonthUse(models.Model):
    """What a service of a plan with fair use has used since its month began, when last added up; one row each."""

    service = models.OneToOneField(Service, models.CASCADE, primary_key=True, related_name="month_use")
    month = models.DateTimeField(help_text="When the month began.")
    octets = models.BigIntegerField()
    measured_at = models.DateTimeField()
    passed_at = models.DateTimeField(null=True, help_text="When it was seen that the volume is used up.")
    due_at = models.DateTimeField(help_text="Before then it cannot be used up, at twice the plan's speed.")


class FairUseBlock(models.TextChoices):
    """How somebody is blocked whose month's volume is used up (network.CauseAnswer is for those without money)."""

    LIST = "list", "CoA: own address, in the list"
    CUT = "cut", "Disconnect, then own address in the list"
    POOL = "pool", "Disconnect, then an address of the reject pool"
    REJECT = "reject", "Disconnect, then Access-Reject"


class FairUseAnswer(models.Model):
    """A partner's choice for routers of one make; without a row as for other blocked customers."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+")
    nas_type = models.CharField(max_length=12, choices=NasType.choices)
    block = models.CharField(max_length=8, choices=FairUseBlock.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "nas_type"], name="access_fairuseanswer_type"),
            choices_check("nas_type", NasType, "access_fairuseanswer_nas_type"),
            choices_check("block", FairUseBlock, "access_fairuseanswer_block"),
        ]
