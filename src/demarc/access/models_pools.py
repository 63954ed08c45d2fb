"""How much of the address pools was in use at most, by day: written by a job, dropped after a month."""

from django.db import models

from demarc.base.models import Partner
from demarc.network.models import PoolKind, Site


class PoolPeak(models.Model):
    """The most that was in use at one time on one day (UTC) of the pools of a set of concentrators (those of one site;
    without a site: those without one) and of the pools that all share."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+")
    site = models.ForeignKey(Site, models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=PoolKind.choices)
    day = models.DateField()
    used = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "site", "kind", "day"], nulls_distinct=False, name="access_poolpeak_day"
            ),
        ]
