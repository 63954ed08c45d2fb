"""Public addresses that many customers share, each with ports of his own (RFC 7422), as dated facts."""

from django.db import models
from django.db.models import F, Q

from demarc.base.fields import CidrField
from demarc.base.models import Partner


class NatRange(models.Model):
    """Private addresses behind public ones, each with a block of ports by its place (core.nat.Sharing): so who had a
    public address and port is told without a record of every connection. Never edited: ended, and another made. No two
    share a public address at one time (exclusion constraint in 0007)."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+")
    vrf = models.PositiveIntegerField(default=0, help_text="Of the private addresses.")
    inside = CidrField()
    outside = CidrField()
    first_port = models.PositiveIntegerField(default=1024)
    ports_each = models.PositiveIntegerField()
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, help_text="Null: still so.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(first_port__range=(0, 65535)), name="access_natrange_first"),
            models.CheckConstraint(
                condition=Q(ports_each__gte=1, ports_each__lte=65536 - F("first_port")), name="access_natrange_ports"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="access_natrange_order"
            ),
        ]
