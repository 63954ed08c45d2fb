"""The pages and the API of reminding and blocking: what staff see, do and are refused; resellers see their own."""

import csv
import io
import re
from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from tests import cast
from tests.cast import STAFF
from tests.project.api_scene import problem, program
from tests.staff.world import World, logged_in, person, world

from demarc.base import clock
from demarc.billing import actions, queries
from demarc.billing.models import BlockingStop, Document, Outage, Promise, Wave
from demarc.core.period import ONE_DAY
from demarc.customers.models import Block
from demarc.plans import actions as plans
from demarc.ui import formats


@pytest.fixture
def place(pages) -> World:
    return world(only="larry")


@pytest.fixture
def client(place):
    return logged_in(person("Super administrator", "sue"))


def text(client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode()


def block(place: World) -> None:
    """Let the held wave go, with nothing of ours broken."""
    actions.end_outage(place.late.outage_id, by=STAFF, at=clock.now())
    actions.set_dunning_terms(place.partner.pk, valid_from=clock.today("UTC"), outage_hours=0, by=STAFF, at=clock.now())
    actions.confirm_wave(place.late.wave_id, by=STAFF, at=clock.now())
    actions.work_wave(place.late.wave_id, by=STAFF, at=clock.now())


def test_the_page_of_a_late_customer_says_why_in_two_voices(place, client):
    block(place)
    page = text(client, f"/customers/{place.late.account.customer_id}/")
    number = Document.objects.get(pk=place.late.document_id).number
    assert "Why blocked" in page
    assert f"Document {number} was due on" in page
    assert "below the account" in page
    assert f"Your invoice {number} was due on" in page
    assert "below the account" not in page[page.index("What we would tell him") :]
    assert "Why blocked" not in text(client, f"/customers/{place.customer.pk}/")
    owed = Document.objects.get(pk=place.late.document_id).open_amount
    assert f"Needs {formats.money(owed, 'EUR')} to be online" in page
    preview = f"/accounts/{place.late.account.pk}/pay/preview/?amount="
    assert "Online again within seconds; the account has nothing" in text(
        client, f"{preview}{owed // 100}.{owed % 100:02d}"
    )
    assert "Still blocked" in text(client, f"{preview}0.01")


def test_what_is_overdue_is_said_before_anybody_is_blocked(place, client):
    owed = formats.money(Document.objects.get(pk=place.late.document_id).open_amount, "EUR")
    assert f"{owed} of it overdue" in text(client, f"/customers/{place.late.account.customer_id}/")
    assert "of it overdue" not in text(client, f"/customers/{place.customer.pk}/")


def test_a_promise_is_three_clicks_and_brings_access_back(place, client):
    block(place)
    account = place.late.account
    assert not cast.online(account)
    assert f"/accounts/{account.pk}/promise/" in text(client, f"/customers/{account.customer_id}/")
    form = client.get(f"/accounts/{account.pk}/promise/").context["form"]
    until = form.initial["until"]
    assert client.post(f"/accounts/{account.pk}/promise/", {"until": until, "comment": "called"}).status_code == 302
    assert Promise.objects.get().until == until
    assert cast.online(account)
    assert "Promised until" in text(client, f"/customers/{account.customer_id}/")
    late_day = clock.today("UTC") - ONE_DAY
    refused = client.post(f"/accounts/{account.pk}/promise/", {"until": late_day})
    assert (refused.status_code, "Choose a day from" in refused.content.decode()) == (422, True)
    assert client.post(f"/accounts/{account.pk}/promise/end/").status_code == 302
    assert Promise.objects.filter(ended_at=None).count() == 0


def test_a_promise_says_beforehand_that_it_does_not_open_a_staff_s_block(place, client):
    account = place.late.account
    path = f"/accounts/{account.pk}/promise/"
    assert "online again within seconds" in text(client, path)
    plans.block(account.customer_id, reason="abuse", by=STAFF, at=clock.now())
    page = text(client, path)
    assert "Staff blocked him: a promise does not open that" in page
    assert "online again within seconds" not in page
    plans.unblock(account.customer_id, by=STAFF, at=clock.now())
    assert "Staff blocked him" not in text(client, path)


def test_a_document_is_disputed_and_settled_on_its_page(place, client):
    path = f"/documents/{place.late.document_id}/dispute/"
    assert client.post(path, {"reason": ""}).status_code == 422
    assert client.post(path, {"reason": "never had internet"}).status_code == 302
    assert Document.objects.get(pk=place.late.document_id).disputed_at is not None
    assert "End the dispute" in text(client, path)
    client.post(path, {"reason": "he had"})
    assert Document.objects.get(pk=place.late.document_id).disputed_at is None


def test_a_held_wave_is_on_the_dashboard_shows_names_and_is_confirmed(place, client):
    assert "a wave of 1 customer waits for your look" in text(client, "/")
    page = text(client, f"/waves/{place.late.wave_id}/")
    assert place.late.account.customer.name in page
    assert "Let it go" in page
    refused = client.post(f"/waves/{place.late.wave_id}/confirm/")
    assert "mast down" in refused.content.decode()  # the outage lasts
    client.post(f"/outages/{place.late.outage_id}/end/")
    actions.set_dunning_terms(place.partner.pk, valid_from=clock.today("UTC"), outage_hours=0, by=STAFF, at=clock.now())
    assert client.post(f"/waves/{place.late.wave_id}/confirm/").status_code == 302
    job = ProcrastinateJob.objects.get(task_name="billing.work_wave")
    assert job.args == {"wave": place.late.wave_id}
    assert "Let it go" not in text(client, f"/waves/{place.late.wave_id}/")


def test_a_wave_is_taken_back_by_a_button(place, client):
    block(place)
    assert "Take it back" in text(client, f"/waves/{place.late.wave_id}/")
    assert client.post(f"/waves/{place.late.wave_id}/restore/").status_code == 302
    actions.work_wave(place.late.wave_id, by=STAFF, at=clock.now())
    assert cast.online(place.late.account)
    assert "Take it back" not in text(client, f"/waves/{place.late.wave_id}/")


def test_all_blocking_is_stopped_and_allowed_by_a_button(place, client):
    path = f"/settings/{place.partner.pk}/blocking-switch/"
    assert client.post(path, {"reason": "bank file is wrong"}).status_code == 302
    assert BlockingStop.objects.get(lifted_at=None).reason == "bank file is wrong"
    assert "stopped all blocking" in text(client, "/")
    assert "bank file is wrong" in text(client, "/waves/")
    assert client.post(path).status_code == 302
    assert not BlockingStop.objects.filter(lifted_at=None).exists()


def test_an_outage_is_noted_with_its_times(place, client):
    now = clock.now()
    given = {"kind": "payments", "began_at": f"{now - timedelta(hours=2):%Y-%m-%dT%H:%M}", "note": "bank was down"}
    path = f"/settings/{place.partner.pk}/outage/"
    assert client.post(path, given).status_code == 302
    assert Outage.objects.get(kind="payments").note == "bank was down"
    later = given | {"began_at": f"{now + timedelta(days=1):%Y-%m-%dT%H:%M}"}
    assert client.post(path, later).status_code == 422
    assert "bank was down" in text(client, "/waves/")


def test_the_rules_are_changed_with_their_reminders(place, client):
    path = f"/settings/{place.partner.pk}/dunning/"
    form = client.get(path).context["form"]
    given = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    for number in range(1, 6):
        days, hour, channel = given.pop(f"reminder_{number}", None) or ("", 9, "mail")
        given |= {f"reminder_{number}_0": days, f"reminder_{number}_1": hour, f"reminder_{number}_2": channel}
    changed = given | {"grace_days": "5", "threshold": "2.50", "country": "ES", "reminder_4_0": "20", "blocks": "yes"}
    answer = client.post(path, changed)
    assert answer.status_code == 302, answer.context["form"].errors
    policy, guards = queries.policy_on(place.partner.pk, clock.today("UTC"))
    assert (policy.grace_days, policy.threshold, policy.country, guards.least) == (5, 250, "ES", 0)
    assert [reminder.days for reminder in policy.reminders] == [-3, 1, 7, 20]
    page = text(client, f"/settings/{place.partner.pk}/")
    assert "20 days after it is due, at 09:00, by e-mail" in page
    assert "holidays of Spain" in page
    twice = client.post(path, changed | {"reminder_5_0": "20"})
    assert (twice.status_code, "same day" in twice.content.decode()) == (422, True)


def test_an_account_has_rules_of_its_own_or_its_provider_s(place, client):
    account = place.late.account
    path = f"/accounts/{account.pk}/dunning/"
    given = {"valid_from": clock.today("UTC"), "blocks": "no", "grace_days": "", "threshold": ""}
    assert client.post(path, given).status_code == 302
    today = clock.today("UTC")
    assert queries.policy_on(place.partner.pk, today, account.pk)[0].blocks is False
    assert queries.policy_on(place.partner.pk, today)[0].blocks is True
    client.post(path, given | {"blocks": ""})
    assert queries.policy_on(place.partner.pk, today, account.pk)[0].blocks is True


def test_the_simulator_stands_under_blocking_in_the_menu(place, client):
    page = client.get(f"/waves/simulator/{place.partner.pk}/").content.decode()
    assert re.findall(r'<li><a href="([^"]+)" aria-current="page">', page) == ["/waves/"]


def test_the_simulator_counts_whom_other_rules_would_block_and_stores_nothing(place, client):
    path = f"/waves/simulator/{place.partner.pk}/"
    assert "<b>1</b> would be blocked; by the rules in force <b>1</b>" in text(client, path)
    rules = "blocks=no&grace_days=0&block_hour=8&on_weekends=yes&on_holidays=no&country=&threshold=0"
    rules += "&one_time_blocks=no&deactivate_after_days=0&due_days="
    assert "<b>0</b> would be blocked; by the rules in force <b>1</b>" in text(client, f"{path}?{rules}")
    rows = list(
        csv.reader(io.StringIO(text(client, f"{path}?{rules.replace('blocks=no&g', 'blocks=yes&g')}&format=csv")))
    )
    assert rows[0] == ["Day", "What", "Account", "Customer", "Amount EUR"]
    assert [row[3] for row in rows if row[1] == "block"] == [place.late.account.customer.name]
    assert text(client, f"{path}?{rules}&grace_days=x", 422)
    assert Block.objects.count() == 0


def test_a_reseller_sees_neither_waves_nor_rules_of_others(place):
    other = world("Reseller", number=1, only="larry")
    viewer = person("Financial manager", "rita")
    viewer.partners.set([other.partner])
    client = logged_in(viewer)
    assert other.late.account.customer.name in text(client, f"/waves/{other.late.wave_id}/")
    page = text(client, "/waves/")
    assert page.count('href="/waves/') >= 1
    assert "of Demarc" not in page
    for path in (
        f"/waves/{place.late.wave_id}/",
        f"/waves/{place.late.wave_id}/confirm/",
        f"/waves/simulator/{place.partner.pk}/",
        f"/documents/{place.late.document_id}/dispute/",
        f"/accounts/{place.late.account.pk}/promise/",
        f"/outages/{place.late.outage_id}/end/",
    ):
        assert client.post(path).status_code == 404, path
    assert Wave.objects.get(pk=place.late.wave_id).state == "held"
    api = program("API full", other.partner)
    assert [one["id"] for one in api.get("/waves")["items"]] == [other.late.wave_id]
    problem(api.call("POST", f"/waves/{place.late.wave_id}/confirm", {}), 404)
    problem(api.call("POST", f"/documents/{place.late.document_id}/dispute", {"reason": "x"}), 404)


def test_a_program_asks_why_promises_disputes_and_simulates(place):
    api = program()
    account = place.late.account.pk
    told = api.get(f"/accounts/{account}/dunning")
    owed = Document.objects.get(pk=place.late.document_id).open_amount
    assert (told["owed"], told["blocked_on"]) == (f"{owed // 100}.{owed % 100:02d}", None)
    assert [why["cause"] for why in told["chain"]][:1] == ["overdue"]
    assert told["customer_words"][0].startswith("Your invoice")
    until = (clock.today("UTC") + ONE_DAY).isoformat()
    assert api.post(f"/accounts/{account}/promise", {"until": until})["until"] == until
    assert api.post(f"/accounts/{account}/promise/end")["ended_at"]
    disputed = api.post(f"/documents/{place.late.document_id}/dispute", {"reason": "no"})
    assert disputed["disputed_at"]
    api.post(f"/documents/{place.late.document_id}/dispute/end", {"reason": "settled"})
    tried = api.get(f"/partners/{place.partner.pk}/dunning/simulation?grace_days=90")
    assert (tried["blocked"], tried["blocked_now"], tried["complete"]) == (0, 1, True)
    assert api.get(f"/accounts/{place.account.pk}/dunning")["chain"] == []
    problem(api.call("POST", f"/accounts/{place.account.pk}/promise", {"until": until}), 422)


def test_a_program_sets_rules_stops_blocking_and_notes_an_outage(place):
    api = program()
    partner = place.partner.pk
    today = clock.today("UTC").isoformat()
    rules = {"valid_from": today, "threshold": "1.50", "reminders": [{"days": 2, "hour": 10, "channel": "sms"}]}
    told = api.post(f"/partners/{partner}/dunning", rules)
    assert (told["threshold"], told["reminders"]) == ("1.50", [{"days": 2, "hour": 10, "channel": "sms"}])
    problem(api.call("POST", f"/partners/{partner}/dunning", rules | {"block_hour": 24}), 422)
    assert api.post(f"/partners/{partner}/blocking/stop", {"reason": "test"})["stopped"] is True
    assert api.post(f"/partners/{partner}/blocking/allow")["stopped"] is False
    problem(api.call("POST", f"/partners/{partner}/outages", {"began_at": "2024-05-31T10:00:00"}), 422)
    outage = api.post(f"/partners/{partner}/outages", {"began_at": "2024-05-31T10:00:00Z"})
    assert api.post(f"/outages/{outage['id']}/end")["ended_at"]
    names = [row["customer"] for row in api.get(f"/waves/{place.late.wave_id}/accounts")["items"]]
    assert names == [place.late.account.customer.name]


def test_a_customer_of_nothing_open_is_offered_no_promise(place, client):
    customer = cast.customer(place.partner, "Paula", billing_type="recurring", at=clock.now())
    assert "Promise to pay" not in text(client, f"/customers/{customer.pk}/")
    assert "Promise to pay" in text(client, f"/customers/{place.late.account.customer_id}/")
