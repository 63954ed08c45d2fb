"""Pages of runs: what is due, the preview with what is odd, the run at work, and what will happen tonight."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from demarc.base import clock
from demarc.base.models import Partner
from demarc.billing import actions, queries
from demarc.billing.models import InvoiceRun, RecurringState, RunState
from demarc.billing.rehearsal import rehearsed
from demarc.core.errors import Refused
from demarc.core.period import ONE_DAY
from demarc.customers.web_terms import visible_partner
from demarc.staff.doors import actor_of, page, partners, permitted, scope, within
from demarc.staff.pages import carried_out, list_page, why_not
from demarc.ui import components, formats
from demarc.ui.forms import Form, form_page, posted
from demarc.ui.lists import Column, Filter, ListSpec
from demarc.ui.panels import Fact, Notice

PREVIEW_AT_ONCE = 3000
"""A preview of more accounts is computed by a job, so that no page waits for it."""
TONIGHT_AT_ONCE = 1000
"""Days of more accounts are foreseen when somebody asks for it, so that the page opens at once."""
ROWS = 50
PARTNERS_SHOWN = 50
TONES = {
    "preview": "new",
    "running": "sent",
    "paused": "paused",
    "held": "warning",
    "cancelled": "ended",
    "done": "ack",
}


class Verb(NamedTuple):
    """What may be done to a run: its action, its states, its words."""

    act: Callable[..., InvoiceRun]
    states: tuple[str, ...]
    title: str
    submit: str
    done: str
    lines: tuple[str, ...]
    danger: bool = False


VERBS = {
    "confirm": Verb(
        actions.confirm_run,
        queries.WAITING,
        "Issue the documents",
        "Issue them",
        "The documents are being issued.",
        ("Every document gets its number and moves the money in the ledger.", "What is issued is only put right by "
         "credit notes."),
    ),
    "hold": Verb(
        actions.hold_run,
        (RunState.PREVIEW,),
        "Hold the run",
        "Hold it",
        "It waits for a person.",
        ("Nothing is issued until somebody confirms it.",),
    ),
    "pause": Verb(
        actions.pause_run,
        (RunState.RUNNING,),
        "Pause the run",
        "Pause",
        "It stops after the accounts at work.",
        ("What is issued stays; it goes on where it stopped.",),
    ),
    "resume": Verb(
        actions.resume_run, (RunState.PAUSED,), "Go on with the run", "Go on", "It goes on.", ("The rest is issued.",)
    ),
    "cancel": Verb(
        actions.cancel_run,
        (*queries.WAITING, *queries.AT_WORK),
        "Cancel the run",
        "Cancel the run",
        "The run is cancelled.",
        ("What is issued stays; the rest is due in the next run.",),
        True,
    ),
}  # fmt: skip


def _rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[InvoiceRun]:
    found = queries.run_list(scope(request))
    return found.filter(state=picked["state"]) if "state" in picked else found


RUNS = ListSpec(
    name="runs",
    one="run",
    many="runs",
    filters=(Filter("state", "State", lambda request: RunState.choices),),
    columns=(
        Column(
            label="Day",
            value=lambda run: run.day,
            shown=lambda run: components.on(run.day),
            href=lambda run: reverse("run", args=[run.pk]),
            order="day",
        ),
        Column(label="Provider", value=lambda run: run.partner.name),
        Column(
            label="State",
            value=lambda run: run.get_state_display(),
            shown=lambda run: components.chip(TONES[run.state], run.get_state_display()),
        ),
        Column(label="Documents", value=lambda run: run.documents, number=True, order="documents"),
        Column(
            label="Total",
            value=lambda run: formats.figure(run.gross, run.partner.currency),
            shown=lambda run: components.money(run.gross, run.partner.currency),
            number=True,
            order="gross",
        ),
        Column(label="Confirmed by", value=lambda run: run.confirmed_by),
    ),
    rows=_rows,
    empty="No run yet. On the billing day of recurring accounts their documents are previewed and issued.",
)


@page("runs.see")
def runs(request: HttpRequest) -> HttpResponseBase:
    """All runs that the viewer may see, and what is due now."""
    due = queries.due_runs(scope(request), at=clock.now())[:PARTNERS_SHOWN]
    return list_page(request, RUNS, "billing/runs.html", title="Runs", due=due)


def due_notices(request: HttpRequest) -> list[Notice]:
    """On the dashboard: documents that are due and wait for a person, or are being issued."""
    return [_notice(one) for one in queries.due_runs(scope(request), at=clock.now())[:PARTNERS_SHOWN]]


def _notice(due: queries.DueRun) -> Notice:
    run, name = due.run, due.partner.name
    if run is None:
        words = f"{name}: documents for {formats.day(due.day)} are due, of {formats.plural(due.accounts, 'account')}."
        return Notice("warning", words, reverse("due_run", args=[due.partner.pk]), "Look")
    href = reverse("run", args=[run.pk])
    if run.state in queries.AT_WORK:
        words = f"{name}: documents are being issued, {formats.number(run.done)} of {formats.number(run.accounts)}."
        return Notice("info", words, href, "Look")
    odd = formats.plural(len(run.anomalies), "thing is odd", "things are odd")
    held = f", and {odd}" if run.anomalies else ""
    words = f"{name}: documents for {formats.day(run.day)} are due{held}."
    return Notice("warning", words, href, "Look")


@page("runs.edit")
def due_run(request: HttpRequest, partner_id: int) -> HttpResponse:
    """What is due at a provider; computing the preview."""
    partner = visible_partner(request, partner_id)
    due = next((one for one in queries.due_runs([partner_id], at=clock.now())), None)
    many = due is not None and due.accounts > PREVIEW_AT_ONCE
    form = Form(posted(request))

    def act() -> InvoiceRun | None:
        how = actions.ask_preview if many else actions.preview_run
        made: InvoiceRun | None = how(partner_id, by=actor_of(request), at=clock.now())
        return made

    if carried_out(request, form, "preview_run", ("partner", partner_id), act):
        if form.result is None:
            messages.success(request, "It is being computed; it appears in this list within minutes.")
            return redirect("runs")
        return redirect("run", form.result.pk)
    lines, hindrance = [], "Nothing is due today."
    if due is not None:
        accounts = formats.plural(due.accounts, "account")
        lines = [f"{accounts} with open billing days, the first is {formats.day(due.first)}."]
        lines.append("Every document is computed as it will be issued, and taken back: nothing is issued yet.")
        hindrance = ""
    return form_page(
        request,
        form,
        title=f"Documents of {partner} that are due",
        submit="Compute the preview",
        consequences=lines,
        why_not=hindrance,
        back=reverse("runs"),
        back_label="Runs",
    )


def visible_run(request: HttpRequest, run_id: int) -> InvoiceRun:
    """The run, if it is of one of the viewer's providers; else 404."""
    return get_object_or_404(within(request, queries.run_list(None)), pk=run_id)


@page("runs.see")
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """A run: its sums beside the last one's, what is odd, every document of it; and what may be done now."""
    found = visible_run(request, run_id)
    flagged = request.GET.get("only") == "odd"
    rows = queries.preview_rows(run_id, flagged=flagged)
    shown = {
        "run": found,
        "chip": components.chip(TONES[found.state], found.get_state_display()),
        "facts": _facts(found),
        "rows": Paginator(rows, ROWS).get_page(request.GET.get("page")),
        "odd": _odd(found),
        "flagged": flagged,
        "early": _too_early(found),
        "newer": queries.run_instead(found),
        "verbs": _verbs(found) if permitted(request, "runs.edit") else [],
    }
    return render(request, "billing/run.html", shown)


def _odd(found: InvoiceRun) -> list[str]:
    """What is odd about a run, a line each."""
    lines = []
    for one in found.anomalies:
        numbers = [number for number in (one["count"], one.get("before")) if number is not None]
        currency = found.partner.currency if one["code"] == "total" else ""
        said = [formats.money(number, currency) if currency else formats.number(number) for number in numbers]
        lines.append(f"{one['words'][:1].upper()}{one['words'][1:]}: {', before '.join(said)}")
    return lines


def _verbs(found: InvoiceRun) -> list[tuple[str, str, bool]]:
    """(address, button, danger) of what may be done to a run now, the main one first."""
    words = {"confirm": f"Issue {formats.plural(found.documents, 'document')}"}
    return [
        (reverse(f"{name}_run", args=[found.pk]), words.get(name, verb.submit), verb.danger)
        for name, verb in VERBS.items()
        if found.state in verb.states and name != "hold" and not (name == "confirm" and _too_early(found))
    ]


def _too_early(found: InvoiceRun) -> bool:
    """Whether it is the preview of a day to come, which nobody can confirm yet."""
    return found.state in queries.WAITING and found.day > clock.today(found.partner.zone)


def _facts(found: InvoiceRun) -> list[Fact]:
    currency = found.partner.currency
    last = queries.last_run(found)
    facts = [
        Fact("Documents", formats.number(found.documents), (formats.plural(found.accounts, "account"),)),
        Fact("Net", components.money(found.net, currency), (f"Tax {formats.money(found.tax, currency)}",)),
        Fact("Total", components.money(found.gross, currency)),
    ]
    if last is not None:
        more = found.gross - last.gross
        word = "more" if more >= 0 else "less"
        lines = (f"{formats.plural(last.documents, 'document')} on {formats.day(last.day)}",)
        href = reverse("run", args=[last.pk])
        facts.append(Fact("Beside the last run", f"{formats.money(abs(more), currency)} {word}", lines, "", href))
    return facts


@page("runs.see")
def run_progress(request: HttpRequest, run_id: int) -> HttpResponse:
    """How far a run is; when it stops being at work, the whole page is loaded anew."""
    found = visible_run(request, run_id)
    answer = render(request, "billing/run_progress.html", {"run": found})
    if request.headers.get("HX-Request") and found.state != RunState.RUNNING:
        answer["HX-Refresh"] = "true"
    return answer


@page("runs.edit")
def run_verb(request: HttpRequest, run_id: int, verb: str) -> HttpResponse:
    """Confirm, hold, pause, resume or cancel a run."""
    found, way = visible_run(request, run_id), VERBS[verb]
    form = Form(posted(request))

    def act() -> InvoiceRun:
        return way.act(run_id, by=actor_of(request), at=clock.now())

    if carried_out(request, form, f"{verb}_run", ("partner", found.partner_id), act):
        messages.success(request, way.done)
        return redirect("run", run_id)
    return form_page(
        request,
        form,
        title=way.title,
        submit=way.submit,
        danger=way.danger,
        consequences=[*(_odd(found) if verb == "confirm" else ()), *way.lines],
        why_not=why_not(act),
        intro=f"{found.partner}, {formats.day(found.day)}: {formats.plural(found.documents, 'document')}, "
        f"{formats.money(found.gross, found.partner.currency)}",
        back=reverse("run", args=[run_id]),
        back_label="The run",
    )


@page("runs.see")
def tonight(request: HttpRequest) -> HttpResponse:
    """What the next 00:00 will do: the prepaid days that it decides, and the documents that become due. Of a provider
    with many accounts only how many they are, until the viewer asks for that one (?exact=)."""
    nights = [_night(request, partner) for partner in partners(request)[:PARTNERS_SHOWN]]
    return render(request, "billing/tonight.html", {"nights": nights})


def _night(request: HttpRequest, partner: Partner) -> dict[str, Any]:
    at, day = clock.now(), clock.today(partner.zone) + ONE_DAY
    exact = request.GET.get("exact") == str(partner.pk)
    prepaid = sum(map(len, queries.accounts_behind(partner.pk, day)))
    charges = None
    if prepaid <= TONIGHT_AT_ONCE or exact:
        (charges,) = queries.preview(day=day, at=at, partner_ids=[partner.pk])
    due = RecurringState.objects.filter(partner=partner, next_on__lte=day)
    count = due.filter(parked_at=None).count()
    run = None
    if 0 < count <= (PREVIEW_AT_ONCE if exact else TONIGHT_AT_ONCE):
        with suppress(Refused):  # a run is at work: its rest is not of tonight
            run = rehearsed(lambda: actions.preview_run(partner.pk, day=day, by=actor_of(request), at=at))
    return {
        "partner": partner,
        "day": day,
        "charges": charges,
        "prepaid": prepaid,
        "exact": exact,
        "already": queries.blocked_on(partner.pk, day - ONE_DAY),
        "due": count,
        "run": run,
        "parked": due.filter(parked_at__isnull=False).count(),
        "auto": queries.auto_issue(partner.pk),
    }
