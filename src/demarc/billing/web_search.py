"""What the search finds among documents, by their numbers. Wired in project.wiring."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from demarc.base import clock
from demarc.billing import queries
from demarc.billing.web_documents import state_chip
from demarc.staff.doors import scope
from demarc.ui import components, formats
from demarc.ui.panels import Hit, Hits

SHOWN = 6


def documents_found(request: HttpRequest, text: str) -> Hits | None:
    """A number that begins so, or ends with these digits in one of the last years."""
    found = queries.documents_like(text.strip(), scope(request), clock.now().year, SHOWN)
    hits = tuple(
        Hit(
            one.number,
            reverse("document", args=[one.pk]),
            format_html(
                "{} {} · {} · {}",
                state_chip(one),
                one.account.customer.name,
                formats.day(one.issued_on),
                components.money(one.gross, one.currency),
            ),
            one.number == text.strip().upper(),
        )
        for one in found
    )
    return Hits("Documents", "file-text", hits) if hits else None
