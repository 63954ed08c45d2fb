"""Template tags that ask what the viewer may do."""

from typing import Any

from django import template

from demarc.staff import masks
from demarc.staff.doors import words

register = template.Library()


@register.simple_tag(takes_context=True)
def masked(context: Any, value: str, kind: str) -> str:
    """A sensitive value as the viewer may read it."""
    return masks.shown(value, kind, words(context["request"]))
