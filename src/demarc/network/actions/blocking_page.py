"""What blocked customers see: the partner's words and looks."""

import re
from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.base.events import emit
from demarc.core.errors import Refused
from demarc.network.models import BlockingPage

LOGO_BYTES_MAX = 200_000
LOGOS = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class PageFacts(TypedDict, total=False):
    """What may be changed on the blocking page; a logo of b"" takes it away."""

    title: str
    message: str
    how_to_pay: str
    colour: str
    logo: bytes


@transaction.atomic
def save_blocking_page(partner_id: int, *, by: Actor, at: datetime, **changes: Unpack[PageFacts]) -> BlockingPage:
    """Change the words and looks of the partner's blocking page; an empty text brings back the shipped one.

    Refused: a text too long or with control characters, a colour that is none, a logo that is not PNG, JPEG or WebP,
    or too large.
    """
    page, _ = BlockingPage.objects.select_for_update().get_or_create(partner_id=partner_id)
    before = log.snapshot(page)
    page.title = texts.one_line(changes.get("title", page.title), field="title", length_max=120)
    page.message = texts.plain(changes.get("message", page.message), field="message", length_max=4000)
    page.how_to_pay = texts.plain(changes.get("how_to_pay", page.how_to_pay), field="how_to_pay", length_max=4000)
    page.colour = changes.get("colour", page.colour)
    if not COLOUR.fullmatch(page.colour):
        raise Refused("A colour is written as in #0054a6.", field="colour")
    if "logo" in changes:
        page.logo, page.logo_type = _logo(changes["logo"])
    page.save()
    told = {"changed": log.changes(before, page)}
    log.record("blocking_page_changed", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, **told)
    emit("PolicyChanged", partners=[partner_id])
    return page


def _logo(data: bytes) -> tuple[bytes | None, str]:
    if not data:
        return None, ""
    if len(data) > LOGO_BYTES_MAX:
        raise Refused(f"A logo may have {LOGO_BYTES_MAX // 1000} kB; this one has {len(data) // 1000}.", field="logo")
    for kind, mark in LOGOS.items():
        if mark.match(data):
            return data, kind
    raise Refused("A logo is a PNG, JPEG or WebP image.", field="logo")
