"""What the search finds among logins and sessions: a login, a device, an address. Wired in project.wiring."""

from django.http import HttpRequest

from demarc.access import queries
from demarc.access.models import SessionLive, Subscriber
from demarc.base import words
from demarc.customers.web_search import customer_hit
from demarc.plans.models import Service
from demarc.staff.doors import scope, within
from demarc.ui.panels import Hit, Hits

SHOWN = 6


def logins_found(request: HttpRequest, text: str) -> Hits | None:
    """Logins that begin so, and who holds this address or MAC for good."""
    found = words.nearest(["login"], text, scope(request), SHOWN)
    logins = within(request, Subscriber.objects.select_related("service__customer"))
    rows = logins.in_bulk([one.subject_id for one in found])
    hits = tuple(
        customer_hit(
            request, rows[one.subject_id].service.customer, _why(rows[one.subject_id], one.word), exact=one.exact
        )
        for one in found
        if one.subject_id in rows
    )
    return Hits("Logins", "key", hits) if hits else None


def sessions_found(request: HttpRequest, text: str) -> Hits | None:
    """Who is online with this address, or with a MAC that begins so."""
    held = queries.holding(text)
    if held is None:
        return None
    live = within(request, SessionLive.objects.filter(held)).select_related("service__customer")
    hits = tuple(
        _online(request, session, session.service) for session in live.order_by("id")[:SHOWN] if session.service
    )
    return Hits("Online now", "plug-connected", hits) if hits else None


def _why(login: Subscriber, word: str) -> str:
    """The login, and what else of it was found."""
    devices = {mac.replace(":", "").lower(): mac for mac in login.macs}
    other = devices.get(word) or (word if word == login.static_ipv4 else "")
    return f"{login.login}, {other}" if other else login.login


def _online(request: HttpRequest, session: SessionLive, service: Service) -> Hit:
    why = ", ".join(str(one) for one in (session.user_name, session.framed_ipv4, session.calling_station) if one)
    return customer_hit(request, service.customer, why, exact=True)
