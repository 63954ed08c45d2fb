"""ui.formats and ui.components as template tags."""

from django import template
from django.forms import BoundField

from demarc.base import clock
from demarc.ui import components, formats

register = template.Library()

for word in (
    formats.number,
    formats.day,
    formats.month,
    formats.moment,
    formats.speed,
    formats.octets,
    formats.duration,
    formats.percent,
    formats.ordinal,
    formats.visible,
):
    register.filter(word.__name__, word)

for part in (
    components.asset,
    components.icon,
    components.chip,
    components.money,
    components.balance,
    components.moved,
    components.age,
    components.at,
    components.on,
    components.code,
    components.swatch,
    formats.plural,
):
    register.simple_tag(part)


@register.simple_tag
def now_ms() -> int:
    """The server's clock for the browser's ages, in milliseconds; a demo's clock may differ from the browser's."""
    return round(clock.now().timestamp() * 1000)


@register.filter
def widget_kind(field: BoundField) -> str:
    """The name of a field's widget class, for the field template."""
    return type(field.field.widget).__name__


@register.filter
def unit(field: BoundField) -> str:
    """The unit shown behind a field: a currency, "kbit/s"."""
    return str(field.field.widget.attrs.get("data-unit", ""))
