"""What a template tells a router about one customer: the same code as radiusd's, over the same columns. Reads only."""

from collections.abc import Mapping
from typing import NamedTuple

from django.db.models import QuerySet

from demarc.access.models import Subscriber
from demarc.core.access import BLOCKS, Cause
from demarc.network.models import CauseRule
from demarc.network.queries import RESTORE_LIST
from demarc.wire.radius import Malformed, Value
from demarc.wire.radius.templates import SAMPLE, Facts, parse, render

TEMPLATES = {
    "online": "Online",
    "blocked": "Blocked: no money",
    "coa_block": "CoA on a block",
    "coa_restore": "CoA on lifting it",
    "coa_fair_use": "CoA on a block by fair use",
    "coa_fair_restore": "CoA when its month is over",
}


INSTEAD = {"coa_fair_use": "coa_block", "coa_fair_restore": "coa_restore"}


class Shown(NamedTuple):
    """One situation: the lines as they would be sent, or why the template is none."""

    situation: str
    lines: list[str]
    trouble: str = ""


def subscriber_like(logins: QuerySet[Subscriber], text: str) -> Subscriber | None:
    """The login that begins so, among `logins`; without a text the first one that there is."""
    found = logins.filter(login__istartswith=text.strip()) if text.strip() else logins
    return found.order_by("login").first()


def preview(texts: Mapping[str, str], subscriber: Subscriber | None, partner_id: int) -> list[Shown]:
    """What is sent in each situation about this login; about a made-up one when there is none."""
    rule = CauseRule.objects.filter(partner_id=partner_id, cause=Cause.NO_MONEY).first()
    list_name = rule.list_name if rule else ""
    online = _facts(subscriber)
    blocked = online._replace(list_name=list_name, cause=str(int(BLOCKS[-1])), session_timeout_s=300)
    facts = {
        "online": online,
        "blocked": blocked,
        "coa_block": blocked,
        "coa_restore": online._replace(list_name=RESTORE_LIST),
        "coa_fair_use": blocked,
        "coa_fair_restore": online._replace(list_name=RESTORE_LIST),
    }
    return [_shown(TEMPLATES[name], _text(texts, name), facts[name], name) for name in TEMPLATES]


def _text(texts: Mapping[str, str], name: str) -> str:
    """The template; for fair use, where that has none of its own, that of another block."""
    text = texts.get(name, "")
    return text if text.strip() or name not in INSTEAD else texts.get(INSTEAD[name], "")


def _shown(situation: str, text: str, facts: Facts, name: str) -> Shown:
    try:
        pairs = render(parse(text), facts)
    except Malformed as error:
        return Shown(situation, [], str(error))
    if not pairs and name.startswith("coa"):
        return Shown(situation, ["Disconnect-Request: the session is cut"])
    return Shown(situation, [f"{attribute} = {_words(value)}" for attribute, value in pairs])


def _words(value: Value) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def _facts(subscriber: Subscriber | None) -> Facts:
    if subscriber is None:
        return SAMPLE._replace(list_name="", cause="", session_timeout_s=0)
    return Facts(
        login=subscriber.login,
        down_kbps=subscriber.down_kbps,
        up_kbps=subscriber.up_kbps,
        rate_limit=subscriber.rate_limit,
        session_timeout_s=subscriber.session_timeout_s,
    )
