"""The operation log for those who look after the house: who did and looked at what, from where, before and after.

Knows entries, and of what they are about only the kind and the id; the rooms name things and find them by words.
"""

import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from demarc.base import clock, queries
from demarc.base.keeping import keep_days, set_keep_days
from demarc.base.models import OperationLog
from demarc.staff.doors import actor_of, page, permitted, proven, scope, within, words
from demarc.staff.forms import KeepingForm
from demarc.staff.log_told import told
from demarc.staff.models import ApiToken
from demarc.staff.pages import carried_out, list_page, parts, seen
from demarc.staff.permissions import ALL
from demarc.staff.queries import staff_within
from demarc.ui import formats, things
from demarc.ui.components import at, chip, code
from demarc.ui.forms import form_page, posted
from demarc.ui.lists import Column, Filter, ListSpec, Moment, moment_of

KINDS = (("change", "Changes"), ("view", "Views"), ("sign_in", "Signing in"), ("work", "Demarc's own work"))
RESULTS = (("done", "Done"), ("refused", "Refused"))
PEOPLE_MAX = 300
TOLD_MAX = 72
SUBJECT = re.compile(r"([a-z][a-z_.]{0,29})[ :#]+([0-9]{1,18})")


def rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[OperationLog]:
    """The entries that the viewer may see, newest first: each choice has its index. By time they are sorted when a time
    is picked, since by id all that is newer would be walked over."""
    found = within(request, OperationLog.objects.all())
    for key in ("kind", "verb", "result"):
        if word := picked.get(key):
            found = found.filter(**{key: word})
    if who := picked.get("who"):
        kind, _, number = who.partition(":")
        found = found.filter(actor_kind=kind, actor_id=int(number))
    since, until = moment_of(picked, "from"), moment_of(picked, "until")
    if since:
        found = found.filter(at__gte=since)
    if until:
        found = found.filter(at__lt=until)
    if text := picked.get("q"):
        found = found.filter(_about(request, text))
    return found.order_by("-at", "-id") if since or until else found.order_by("-id")


def _about(request: HttpRequest, text: str) -> Q:
    """What a search means: a thing by kind and id ("customer 17"), an address, else who or what is called so."""
    if thing := SUBJECT.fullmatch(text.strip().lower()):
        return Q(subject_kind=thing[1], subject_id=int(thing[2]))
    try:
        return Q(address=str(ipaddress.ip_address(text.strip())))
    except ValueError:
        named = Q(pk__in=())
    for kind, keys in parts(request, "operations.search", text):
        named |= Q(subject_kind=kind, subject_id__in=keys)
    return named


def _who(request: HttpRequest) -> Sequence[tuple[str, str]]:
    """The staff whom the viewer may see, and the API's tokens for those who see all partners."""
    people = staff_within(scope(request)).order_by("username")[:PEOPLE_MAX]
    found = [(f"staff:{login.pk}", login.username) for login in people]
    if scope(request) is None:
        tokens = ApiToken.objects.order_by("name")[:PEOPLE_MAX]
        found += [(f"token:{token.pk}", f"{token.name} (API)") for token in tokens]
    return [*found, ("system:0", "Demarc")]


def verb_words(verb: str) -> str:
    """ "cause_table_set" -> "Cause table set"."""
    return verb.replace("_", " ").capitalize()


def _subject(entry: OperationLog) -> str:
    kind = entry.subject_kind.replace("_", " ")
    return f"{kind} {entry.subject_id}" if entry.subject_id is not None else kind


def _told(entries: Sequence[OperationLog], held: Collection[str] = ()) -> dict[int, str]:
    """Id -> what was changed or done, in a line, for somebody who may do what `held` says."""
    return {key: _line(body) for key, body in told(entries, held).items()}


def _told_to(held: Collection[str]) -> ListSpec:
    """The list as somebody may read it who may do what `held` says."""
    load = partial(_told, held=held)
    return replace(OPERATIONS, columns=tuple(replace(one, load=one.load and load) for one in OPERATIONS.columns))


def _line(body: dict[str, Any] | None) -> str:
    if body is None:
        return "Removed"
    words = [f"{_name(name)}: {_value(old)} → {_value(new)}" for name, old, new in queries.differences(body)]
    words += [f"{_name(name)}: {_value(value)}" for name, value in queries.facts(body)]
    line = "; ".join(words)
    return line if len(line) <= TOLD_MAX else f"{line[:TOLD_MAX]}…"


def _name(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ").capitalize()


def _value(value: Any) -> str:
    """A value as people read it, with what cannot be seen written out."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return formats.visible(", ".join(f"{_name(key)} {_value(one)}" for key, one in value.items())) or "nothing"
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or "nothing"
    return formats.visible(value)


def _result(entry: OperationLog) -> Any:
    return chip("active", "Done") if entry.result == "done" else chip("blocked", "Refused")


def _action_text(entry: OperationLog) -> str:
    return verb_words(entry.verb) if entry.result == "done" else f"{verb_words(entry.verb)} ({entry.result})"


def _action(entry: OperationLog) -> Any:
    """The verb; that it was done goes without saying."""
    verb = verb_words(entry.verb)
    return verb if entry.result == "done" else format_html("{} {}", verb, _result(entry))


def _actor(entry: OperationLog) -> str:
    return entry.actor_label or ("removed" if entry.private_digest else "nobody")


OPERATIONS = ListSpec(
    name="operations",
    one="entry",
    many="entries",
    search="Customer, number, or customer 17, router 3",
    filters=(
        Filter("kind", "Kind", lambda request: KINDS),
        Filter("verb", "Action", lambda request: [(verb, verb_words(verb)) for verb in queries.verbs()]),
        Filter("who", "Who", _who),
        Filter("result", "Result", lambda request: RESULTS),
    ),
    moments=(Moment("from", "From"), Moment("until", "Until")),
    columns=(
        Column(
            label="When",
            value=lambda entry: entry.at.isoformat(),
            shown=lambda entry: at(entry.at),
            href=lambda entry: reverse("operation", args=[entry.pk]),
        ),
        Column(label="Who", value=_actor),
        Column(label="Action", value=_action_text, shown=_action),
        Column(
            label="About",
            value=_subject,
            href=lambda entry: things.address_of(entry.subject_kind, entry.subject_id),
        ),
        Column(label="What", value=lambda line: line, load=_told),
        Column(label="From", value=lambda entry: entry.address or ""),
    ),
    rows=rows,
    empty="Nothing was written down that matches.",
)


@page("log.see")
def operations(request: HttpRequest) -> HttpResponseBase:
    """What was done and looked at, newest first."""
    everything = scope(request) is None
    context = {
        "title": "Operations",
        "standing": queries.standing() if everything else None,
        "may_keep": everything and permitted(request, ALL),
    }
    return list_page(request, _told_to(words(request)), "staff/operations.html", **context)


@page("settings.edit")
@proven
def keeping(request: HttpRequest) -> HttpResponse:
    """How long the log keeps what it says, by kind of entry."""
    if scope(request) is not None or not permitted(request, ALL):
        messages.error(request, "Only who may do everything, for all providers, decides how long the log is kept.")
        return redirect("dashboard")
    present = {kind.value: "" if days is None else str(days) for kind, days in keep_days().items()}
    form = KeepingForm(posted(request), initial=present)

    def act() -> None:
        set_keep_days(form.cleaned_data, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "set_keep_days", ("log", None), act):
        messages.success(request, "Saved. What is older goes in the night.")
        return redirect("operations" if permitted(request, "log.see") else "dashboard")
    intro = "What an entry says, its name and address go when its time is over; that it was there stays for good."
    words = {"title": "Keep entries", "submit": "Save", "intro": intro, "back_label": "Operations"}
    return form_page(request, form, back=reverse("operations"), **words)


@page("log.see")
def operation(request: HttpRequest, entry_id: int) -> HttpResponse:
    """All of one entry: who, when, from where, before and after, and its place in the sealed log."""
    entry = within(request, OperationLog.objects.filter(pk=entry_id)).select_related("partner").first()
    if entry is None:
        raise Http404
    seen(request, ("operation", entry.pk), entry.partner_id)
    body = told([entry], words(request))[entry.pk]
    about = things.address_of(entry.subject_kind, entry.subject_id)
    shown = {
        "entry": entry,
        "verb": verb_words(entry.verb),
        "kind": dict(KINDS).get(entry.kind, entry.kind),
        "who": _actor(entry),
        "when": formats.moment(entry.at),
        "request_id": code(entry.request_id),
        "result": _result(entry),
        "address": code(entry.address),
        "about": format_html('<a href="{}">{}</a>', about, _subject(entry)) if about else _subject(entry),
        "removed": body is None,
        "changes": [(_name(name), _value(old), _value(new)) for name, old, new in queries.differences(body or {})],
        "facts": [(_name(name), _value(value)) for name, value in queries.facts(body or {})],
        "place": queries.place_of(entry),
    }
    return render(request, "staff/operation.html", shown)
