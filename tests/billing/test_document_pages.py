"""The pages of documents and runs: what they say, who may look, what a change says before it is done."""

from datetime import timedelta

import pytest
from tests import cast
from tests.cast import STAFF
from tests.staff.world import World, logged_in, person, world

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.base.models import OperationLog
from demarc.billing import actions as billing
from demarc.billing import queries, web_runs
from demarc.billing.models import Document, InvoiceRun, Item, RecurringState
from demarc.core.period import ONE_DAY
from demarc.customers.models import Account, RecurringTerms
from demarc.plans import actions as plans
from demarc.plans.models import Discount, Service

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def place(pages) -> World:
    return world(only="rita")


@pytest.fixture
def client(place):
    return logged_in(person("Super administrator", "fina"))


@pytest.fixture
def rita(place) -> Account:
    return Document.objects.get(pk=place.papers["document_id"]).account


@pytest.fixture
def held(rita) -> Service:
    return rita.services.get()


def text(client, path, **query) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode().replace("\xa0", " ")


def make_due(account: Account, *, days: int = 0):
    """Let the account's next document be due, as if time had passed."""
    today = clock.today(account.zone)
    RecurringState.objects.filter(account=account).update(next_on=today - timedelta(days=days))


def test_the_list_finds_by_number_customer_state_and_month_and_sums_what_is_picked(place, client, rita):
    document = rita.documents.get()
    month = f"{document.issued_on:%Y-%m}"
    for query in ({"q": document.number}, {"q": "Rita"}, {"q": rita.number}, {"state": "open"}, {"month": month}):
        page = text(client, "/documents/", **query)
        assert document.number in page
        assert "1 document in EUR" in page
    for query in ({"state": "overdue"}, {"state": "paid"}, {"kind": "credit_note"}, {"q": "nobody"}):
        assert document.number not in text(client, "/documents/", **query)


@pytest.mark.parametrize("text", ["router 7", "a", "c", "ac2026", "%", "2026%", "C-1", "٣"])
def test_what_looks_like_no_number_is_not_looked_for_among_numbers(place, text, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert queries.documents_like(text, None, 2026, 6) == []
    assert queries.document_list(None).filter(queries.documents_named(text, None, 2026)).count() == 0


def test_a_number_is_found_by_its_beginning_from_the_year_on_and_by_its_last_digits(place, rita):
    number = rita.documents.get().number
    year = int(number[:4])

    def found(text: str) -> list[str]:
        return [one.number for one in queries.documents_like(text, None, year, 6)]

    assert number in found(number)
    assert number in found(number[:8])
    assert number in found(number[:4])
    assert number in found(number[4:].lstrip("0"))
    assert number not in found(number[:3])
    assert number not in found(f"C{number}")


def test_where_an_invoice_stands(place, rita):
    def stands() -> str:
        return queries.state_of(queries.document_list(None).get(account=rita), clock.today("UTC"))

    assert stands() == "open"
    gross = rita.documents.get().gross
    cast.pay(rita, 1, at=clock.now())
    assert stands() == "partly"
    document = queries.document_list(None).get(account=rita)
    assert queries.state_of(document, document.due_on + ONE_DAY) == "overdue"
    cast.pay(rita, gross, at=clock.now())
    assert stands() == "paid"
    found = queries.document_list(None)
    assert [queries.in_state(found, state, clock.today("UTC")).count() for state in queries.STATES] == [0, 0, 0, 1, 0]


def test_a_document_says_why_what_paid_it_and_who_took_it(place, client, rita):
    document = rita.documents.get()
    payment = cast.pay(rita, 100, at=clock.now())
    page = text(client, f"/documents/{document.pk}/")
    assert " at 40.00" in page
    assert f"Payment {payment.number}" in page
    answer = client.get(f"/documents/{document.pk}/pdf/")
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert f"invoice-{document.number}.pdf" in answer["Content-Disposition"]
    assert "Downloaded by <bdi>fina</bdi>" in text(client, f"/documents/{document.pk}/")
    assert OperationLog.objects.filter(verb="downloaded", subject_id=document.pk).count() == 1


def test_hostile_names_are_shown_as_text_on_every_page(place, client, rita, held):
    plans.update_plan(held.plan_id, name=HOSTILE, by=STAFF, at=clock.now())
    billing.bill_item(account_id=rita.pk, text=HOSTILE, amount=100, now=True, by=STAFF, at=clock.now())
    document = rita.documents.latest("id")
    for path in (f"/documents/{document.pk}/", f"/customers/{rita.customer_id}/money/", f"/services/{held.pk}/"):
        page = text(client, path)
        assert HOSTILE not in page
        assert "&lt;script&gt;" in page or path.endswith("money/")


def test_something_is_sold_once_now_later_or_not_at_all(place, client, rita):
    path = f"/accounts/{rita.pk}/items/new/"
    given = {"text": "Visit", "amount": "9.00", "included": "on", "tax_category": "standard"}
    given |= {"due_from": clock.today("UTC").isoformat(), "service_id": "", "key": "form:1"}
    assert client.post(path, given).status_code == 302
    waiting = Item.objects.get(text="Visit")
    assert waiting.document is None
    assert client.post(f"/items/{waiting.pk}/cancel/").status_code == 302
    cancelled = client.post(path, given)
    assert (cancelled.status_code, "recorded already" in cancelled.content.decode()) == (422, True)
    assert client.post(path, given | {"text": "Cable", "now": "yes", "key": "form:2"}).status_code == 302
    assert Item.objects.get(text="Cable").document is not None
    assert client.post(path, given | {"amount": "0"}).status_code == 422
    client.post(path, given | {"key": "form:3"})
    answer = client.post(f"/accounts/{rita.pk}/items/bill/")
    assert answer["Location"] == f"/documents/{rita.documents.latest('id').pk}/"
    assert "Visit" in text(client, answer["Location"])


def test_what_is_billed_once_is_billed_once_however_often_its_form_is_sent(place, client, rita):
    path = f"/accounts/{rita.pk}/items/new/"
    given = {"text": "Visit", "amount": "9.00", "included": "on", "tax_category": "standard", "now": "yes"}
    given |= {"due_from": clock.today("UTC").isoformat(), "service_id": ""}
    given["key"] = client.get(path).context["form"]["key"].value()
    before = rita.documents.count()
    for _ in range(3):
        assert client.post(path, given).status_code == 302
    assert (Item.objects.filter(text="Visit").count(), rita.documents.count()) == (1, before + 1)
    assert OperationLog.objects.filter(verb="item_added", subject_id=rita.customer_id).count() == 2  # and the router
    other = client.post(path, given | {"amount": "8.00"})
    assert other.status_code == 422
    assert "Record another item" in other.content.decode()
    assert rita.documents.count() == before + 1


def test_a_change_of_plan_says_what_it_bills_and_does_just_that(place, client, held):
    start = clock.now() - timedelta(days=5)
    rita = cast.account_of(cast.customer(place.partner, "Rita Before", at=start, billing_type="recurring"))
    held = cast.activate(cast.service(rita.customer, held.plan, at=start), at=start)
    cheaper = cast.plan(place.partner, "Cheap", price=100, at=clock.now(), change_fee=250)
    path = f"/services/{held.pk}/plan/"
    given = {"plan_id": cheaper.pk, "price_override": "", "when": "now"}
    asked = client.post(path, given)
    page = asked.content.decode().replace("\xa0", " ")
    assert asked.status_code == 200
    held.refresh_from_db()
    assert held.plan_id != cheaper.pk
    assert "A credit note of" in page
    assert "Fee for the change of plan: Cheap: 2.50 EUR, with the next document." in page
    looked = page.partition('name="looked" value="')[2][:64]
    other = cast.plan(place.partner, "Other", price=200, at=clock.now())
    assert client.post(path, given | {"plan_id": other.pk, "looked": looked}).status_code == 200  # not what was shown
    assert client.post(path, given | {"looked": looked}).status_code == 302
    billing.change_services([held.pk], by=SYSTEM, at=clock.now())
    credit = rita.documents.latest("id")
    assert f"A credit note of {-credit.gross / 100:.2f} EUR" in page
    held.refresh_from_db()
    assert held.plan_id == cheaper.pk


def test_an_own_price_and_a_discount_say_what_they_bill(place, client, held):
    today = clock.today("UTC").isoformat()
    price = {"price": "1.00", "quantity": "2", "valid_from": today}
    page = client.post(f"/services/{held.pk}/price/", price).content.decode()
    assert "is issued at once" in page
    looked = page.partition('name="looked" value="')[2][:64]
    assert client.post(f"/services/{held.pk}/price/", price | {"looked": looked}).status_code == 302
    fact = held.facts.latest("id")
    assert (fact.price_override, fact.quantity) == (100, 2)
    discount = {"percent": "12.5", "fixed": "", "valid_from": today, "valid_to": ""}
    page = client.post(f"/services/{held.pk}/discounts/new/", discount).content.decode()
    looked = page.partition('name="looked" value="')[2][:64]
    assert client.post(f"/services/{held.pk}/discounts/new/", discount | {"looked": looked}).status_code == 302
    assert Discount.objects.latest("id").percent == 1250
    assert "12.5 %" in text(client, f"/services/{held.pk}/")
    wrong = client.post(f"/services/{held.pk}/discounts/new/", discount | {"fixed": "1.00"})
    assert wrong.status_code == 422
    assert "either a percentage or an amount" in wrong.content.decode()


def test_an_own_price_before_the_service_began_is_refused_at_its_day(place, client, held):
    early = clock.today("UTC") - timedelta(days=20)
    answer = client.post(f"/services/{held.pk}/price/", {"price": "1.00", "quantity": "1", "valid_from": str(early)})
    assert answer.status_code == 422
    assert "The service exists from" in answer.content.decode().partition('id="id_valid_from_error"')[2][:300]
    assert not held.facts.filter(price_override=100).exists()


def test_a_discount_ends_with_its_last_day(place, client, held):
    discount = held.discounts.get()
    last = clock.today("UTC")
    path = f"/discounts/{discount.pk}/withdraw/"
    page = client.post(path, {"last_day": last.isoformat()}).content.decode()
    looked = page.partition('name="looked" value="')[2][:64]
    assert client.post(path, {"last_day": last.isoformat(), "looked": looked}).status_code == 302
    (kept,) = Discount.objects.filter(service=held, withdrawn_at=None)
    assert (kept.valid_from, kept.valid_to, kept.percent) == (discount.valid_from, last, 500)
    assert client.post(path, {"last_day": last.isoformat()}).status_code == 422


def test_the_calendar_of_a_provider_and_of_one_account(place, client, rita):
    today = clock.today("UTC").isoformat()
    rules = {"valid_from": today, "billing_day": "15", "period_months": "3", "postpaid": "yes", "due_days": "30"}
    rules |= {"own_first": "no", "credit_pause": "no", "credit_leave": "yes", "invoice_consumed": "yes"}
    assert client.post(f"/settings/{place.partner.pk}/calendar/", rules).status_code == 302
    settings = text(client, f"/settings/{place.partner.pk}/")
    assert "On the 15th of a month, for 3 months" in settings
    assert "Come on one invoice a month, paid already" in settings
    assert f"/accounts/{place.account.pk}/calendar/" in text(client, f"/customers/{place.customer.pk}/money/")
    assert client.post(f"/accounts/{rita.pk}/calendar/", {"valid_from": today, "due_days": "5"}).status_code == 302
    own = RecurringTerms.objects.get(account=rita)
    assert (own.due_days, own.billing_day, own.postpaid) == (5, None, None)


def test_what_is_due_is_computed_looked_at_and_issued(place, client, rita):
    make_due(rita)
    assert "documents for" in text(client, "/")
    answer = client.post(f"/runs/due/{place.partner.pk}/")
    run = InvoiceRun.objects.latest("id")
    assert answer["Location"] == f"/runs/{run.pk}/"
    page = text(client, f"/runs/{run.pk}/")
    assert "Issue 1 document" in page
    assert "Rita of" in page
    assert run.preview_hash in page
    assert client.post(f"/runs/{run.pk}/confirm/").status_code == 302
    assert client.post(f"/runs/{run.pk}/pause/").status_code == 302
    assert client.post(f"/runs/{run.pk}/pause/").status_code == 422
    assert client.post(f"/runs/{run.pk}/resume/").status_code == 302
    billing.work_run(run.pk, by=SYSTEM, at=clock.now())
    answer = client.get(f"/runs/{run.pk}/progress/", headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
    assert "What was shown is what was issued." in text(client, f"/runs/{run.pk}/")


def test_the_daily_job_issues_what_is_not_odd_and_holds_the_rest(place, client, rita):
    make_due(rita)
    InvoiceRun.objects.all().update(state="cancelled")
    (run,) = billing.issue_due(by=SYSTEM, at=clock.now())
    assert (run.state, run.anomalies) == ("running", [])
    assert billing.issue_due(by=SYSTEM, at=clock.now()) == []
    billing.work_run(run.pk, by=SYSTEM, at=clock.now())
    make_due(rita)
    client.post(f"/settings/{place.partner.pk}/auto-issue/", {"auto": "no"})
    (run,) = billing.issue_due(by=SYSTEM, at=clock.now())
    assert run.state == "held"
    assert "documents for" in text(client, "/")
    assert billing.issue_due(by=SYSTEM, at=clock.now()) == []


def test_tonight_says_what_the_morning_brings(place, client, rita):
    make_due(rita, days=-1)
    page = text(client, "/tonight/")
    (told,) = queries.preview(day=clock.today("UTC") + ONE_DAY, at=clock.now())
    assert told.amount > 0
    assert f"{told.days['charged']}, " in page
    assert f"{told.amount / 100:.2f} EUR" in page
    assert "by themselves, when nothing is odd" in page
    assert not InvoiceRun.objects.filter(day=clock.today("UTC") + ONE_DAY).exists()


def test_tonight_says_how_many_of_those_without_money_are_blocked_already(place, client):
    start = clock.now() - timedelta(days=3)
    cast.subscriber(place.partner, place.scene.plan, name="Paula Poor", paid=1, at=start)
    billing.open_day(place.partner.pk, day=clock.today("UTC"), by=SYSTEM, at=clock.now())
    assert "1 of them blocked already" in text(client, "/tonight/")


def test_tonight_of_many_accounts_is_worked_out_when_somebody_asks(place, client, monkeypatch):
    monkeypatch.setattr(web_runs, "TONIGHT_AT_ONCE", 0)
    (told,) = queries.preview(day=clock.today("UTC") + ONE_DAY, at=clock.now())
    page = text(client, "/tonight/")
    assert "Prepaid days to decide" in page
    assert f"{told.amount / 100:.2f} EUR" not in page
    assert f"?exact={place.partner.pk}" in page
    assert f"{told.amount / 100:.2f} EUR" in text(client, f"/tonight/?exact={place.partner.pk}")


def test_who_only_looks_changes_nothing(place, rita):
    from demarc.staff.models import Role

    Role.objects.create(
        name="Looks", permissions=["documents.see", "accounts.see", "payments.see", "runs.see", "customers.see"]
    )
    looker = logged_in(person("Looks"))
    run = place.papers["run_id"]
    assert looker.get(f"/runs/{run}/").status_code == 200
    for path in (
        f"/runs/{run}/confirm/",
        f"/accounts/{rita.pk}/items/bill/",
        f"/items/{place.papers['item_id']}/cancel/",
    ):
        assert looker.post(path).status_code == 403
    assert "Issue" not in looker.get(f"/runs/{run}/").content.decode().partition("head-actions")[2][:300]


def test_a_parked_calendar_is_named_and_taken_back(place, client, rita):
    RecurringState.objects.filter(account=rita).update(parked_at=clock.now(), parked_reason="no price")
    assert "is left out of billing: no price" in text(client, "/")
    assert "is parked since" in text(client, f"/customers/{rita.customer_id}/")
    assert client.post(f"/accounts/{rita.pk}/unpark/").status_code == 302
    assert not RecurringState.objects.filter(parked_at__isnull=False).exists()


def test_an_activation_and_an_end_say_what_they_bill(place, client, rita):
    bound = cast.plan(place.partner, "Bound", setup_fee=1500, cancellation_fee=9900, contract_months=12)
    waiting = cast.service(rita.customer, bound, at=clock.now())
    page = text(client, f"/services/{waiting.pk}/activate/")
    client.post(f"/services/{waiting.pk}/activate/")
    document = rita.documents.latest("id")
    assert f"Invoice of {document.gross / 100:.2f} EUR for" in page
    assert document.lines.filter(text="Setup fee: Bound", amount=1500).exists()
    start = clock.now() - timedelta(days=40)
    early = cast.customer(place.partner, "Early", at=start, billing_type="recurring")
    held = cast.activate(cast.service(early, bound, at=start), at=start)
    page = text(client, f"/services/{held.pk}/end/")
    assert "Fee for ending early: Bound: 99.00 EUR, with the next document." in page
    held.refresh_from_db()
    assert held.state == "active"


def test_a_partner_in_trouble_keeps_no_other_waiting(place, rita, monkeypatch):
    from demarc.billing.actions import daily

    other = world("Another", number=1)
    for account in (rita, Document.objects.get(pk=other.papers["document_id"]).account):
        make_due(account)
    asked = []

    def trouble(partner_id, by, at, hands):
        asked.append(partner_id)
        raise RuntimeError("no price")

    monkeypatch.setattr(daily, "_issue", trouble)
    assert billing.issue_due(by=SYSTEM, at=clock.now()) == []
    assert sorted(asked) == sorted([place.partner.pk, other.partner.pk])


def test_a_paused_run_keeps_the_daily_job_away(place, rita):
    make_due(rita)
    (run,) = billing.issue_due(by=SYSTEM, at=clock.now())
    billing.pause_run(run.pk, by=SYSTEM, at=clock.now())
    assert billing.issue_due(by=SYSTEM, at=clock.now() + 3 * ONE_DAY) == []


def test_a_price_that_holds_already_is_said_to_and_writes_nothing(place, client, held):
    fact = held.facts.latest("valid_from", "id")
    price = {"price": "", "quantity": str(fact.quantity), "valid_from": clock.today("UTC").isoformat()}
    before = held.facts.count(), OperationLog.objects.filter(verb="priced_service").count()
    answer = client.post(f"/services/{held.pk}/price/", price, follow=True)
    assert answer.redirect_chain == [(f"/services/{held.pk}/", 302)]
    assert "nothing was changed" in answer.content.decode()
    assert (held.facts.count(), OperationLog.objects.filter(verb="priced_service").count()) == before


def test_what_can_only_be_refused_says_why_and_has_no_button(place, client, rita, held):
    run = billing.preview_run(place.partner.pk, by=STAFF, at=clock.now())
    billing.cancel_run(run.pk, by=STAFF, at=clock.now())
    fresh = cast.account_of(cast.customer(place.partner, "Fresh", billing_type="recurring", at=clock.now()))
    for path, why in (
        (f"/runs/due/{place.partner.pk}/", "Nothing is due today"),
        (f"/runs/{run.pk}/cancel/", "This run has ended"),
        (f"/runs/{run.pk}/resume/", "This run is not paused"),
        (f"/accounts/{rita.pk}/unlink/", "This account pays for itself"),
        (f"/accounts/{rita.pk}/promise/end/", "There is no promise"),
        (f"/accounts/{rita.pk}/unpark/", "not parked"),
        (f"/accounts/{fresh.pk}/items/bill/", "Nothing waits"),
        (f"/services/{held.pk}/activate/", "active already"),
        (f"/customers/{rita.customer_id}/unblock/", "not blocked"),
    ):
        page = text(client, path)
        assert why in page, path
        assert 'type="submit"' not in page.partition("<main")[2], path
