"""Column types of PostgreSQL that Django lacks. Knows nothing of any room."""

from collections.abc import Sequence
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
    AnyDecimalField = models.DecimalField[Any, Any]
else:
    AnyField = models.Field
    AnyDecimalField = models.DecimalField

Network = IPv4Network | IPv6Network


class CidrField(AnyField):
    """A network, e.g. 172.16.0.0/20, as `ipaddress` network; host bits set are refused (PostgreSQL `cidr`)."""

    def db_type(self, connection: Any) -> str:
        return "cidr"

    def to_python(self, value: Any) -> Network | None:
        if value in (None, ""):
            return None
        try:
            return ip_network(str(value))
        except ValueError as error:
            raise ValidationError(f"{value} is not a network such as 172.16.0.0/20: {error}") from error

    def from_db_value(self, value: Any, *_: Any) -> Network | None:
        return None if value is None else ip_network(str(value))

    def get_prep_value(self, value: Any) -> str | None:
        return None if value in (None, "") else str(value)


class MacField(AnyField):
    """A MAC address as lower-case text with colons (PostgreSQL `macaddr`)."""

    def db_type(self, connection: Any) -> str:
        return "macaddr"

    def from_db_value(self, value: Any, *_: Any) -> str | None:
        return None if value is None else str(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value in (None, "") else str(value).lower().replace("-", ":")


class TransactionIdField(AnyField):
    """The 64-bit id of the writing transaction (PostgreSQL `xid8`), for readers that must miss nothing."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else str(value)


class RateField(AnyDecimalField):
    """A rate as a fraction, 0.21 for 21 %; Decimal, never float."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 9)
        kwargs.setdefault("decimal_places", 6)
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Decimal | None:
        if isinstance(value, float):
            raise ValidationError("A rate is a Decimal, never a float.")
        decimal: Decimal | None = super().to_python(value)
        return decimal


def in_list(column: str, values: Sequence[str]) -> models.Q:
    """The CHECK condition that a text column holds one of `values`."""
    return models.Q(**{f"{column}__in": list(values)})
