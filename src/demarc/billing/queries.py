"""Reads of money for pages, the API and other rooms. Knows how long a balance lasts by core's rules; writes nothing."""

from datetime import date

from demarc.billing.models import PrepaidState


def accounts_behind(partner_id: int, day: date, *, after: int, limit: int) -> list[int]:
    """The next accounts of a partner, by id, whose days are not decided through `day` and who are not parked."""
    behind = PrepaidState.objects.filter(
        account_id__gt=after, decided_through__lt=day, parked_at=None, account__partner_id=partner_id
    )
    return list(behind.order_by("account_id").values_list("account_id", flat=True)[:limit])
