"""A month's documents for 100,000 accounts, 10 % of them prepaid, on top of 36 months of documents.

Each account's document has a line, its tax, a number, transfers, covered days, and is paid from what is on the account.
Beside it, in the same run, the same rows by set-based SQL alone: the ceiling of this machine.
"""

import importlib
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg

from bench.stage import Stage, conclude, flags, median, spread, stage
from demarc.base.hands import HANDS
from demarc.core.period import add_months

CHUNK = 2000
PRICE = 4000

CEILING = (
    "CREATE SCHEMA ceiling",
    *(
        f"CREATE TABLE ceiling.{table} (LIKE public.{table} INCLUDING ALL)"
        for table in (
            "billing_document", "billing_documentline", "billing_documenttax", "billing_cover", "billing_allocation",
            "billing_transfer", "billing_ledgeraccount", "billing_recurringstate", "billing_billedthrough",
        )
    ),
    "INSERT INTO ceiling.billing_ledgeraccount SELECT * FROM public.billing_ledgeraccount",
    "INSERT INTO ceiling.billing_recurringstate SELECT * FROM public.billing_recurringstate",
    "INSERT INTO ceiling.billing_billedthrough SELECT * FROM public.billing_billedthrough",
    "CREATE TEMP TABLE src AS SELECT *, row_number() OVER (ORDER BY id) AS n FROM public.billing_document"
    " WHERE issued_on = (SELECT max(issued_on) FROM public.billing_document)",
    "ANALYZE src",
)  # fmt: skip

LINES = """
SELECT md5(concat_ws('|', d.account_id, d.kind, d.issued_on, d.due_on, d.currency, d.net, d.tax, d.gross, d.open_amount,
    d.parties, l.seq, l.service_id, l.text, l.first_day, l.last_day, l.amount, l.included, l.tax_category, l.rate,
    l.revenue, l.derivation))
FROM billing_document d JOIN billing_documentline l ON l.document_id = d.id WHERE d.run_id = %(run)s
"""


def documents(at_stage: Stage, accounts: int) -> float:
    """Rows a second of the same month, by statements over all accounts at once, on one connection."""
    with psycopg.connect(at_stage.config.owner_url()) as conn:
        for statement in CEILING:
            conn.execute(statement)
        conn.commit()
        started = time.monotonic()
        for table in ("billing_document",):
            conn.execute(f"INSERT INTO ceiling.{table} SELECT {columns(conn, table, 'src')} FROM src ORDER BY n")
        for table in ("billing_documentline", "billing_documenttax", "billing_cover", "billing_allocation"):
            listed = columns(conn, table, "t", skip=("id",))
            names = listed.replace("t.", "")
            conn.execute(
                f"INSERT INTO ceiling.{table} ({names}) SELECT {listed} FROM src s"
                f" JOIN public.{table} t ON t.document_id = s.id"
            )
        listed = columns(conn, "billing_transfer", "t", skip=("id",))
        conn.execute(
            f"INSERT INTO ceiling.billing_transfer ({listed.replace('t.', '')}) SELECT {listed}"
            " FROM src s JOIN public.billing_transfer t ON t.entry_id = s.entry_id"
        )
        conn.execute(
            "UPDATE ceiling.billing_ledgeraccount l SET balance = balance - s.gross FROM src s"
            " WHERE l.payer_id = s.account_id"
        )
        conn.execute("UPDATE ceiling.billing_recurringstate SET next_on = next_on + 31")
        conn.execute("UPDATE ceiling.billing_billedthrough SET day = day + 31")
        conn.commit()
        took = time.monotonic() - started
        conn.execute("DROP SCHEMA ceiling CASCADE")
        conn.commit()
    return accounts / took


def foreseen(run_id: int, people: Any, at: datetime) -> set[str]:
    """The lines that a run would issue: it is worked off and taken back."""
    actions = importlib.import_module("demarc.billing.actions")

    def work() -> set[str]:
        actions.confirm_run(run_id, by=people.SYSTEM, at=at)
        actions.work_run(run_id, by=people.SYSTEM, at=at)
        return lines_of(run_id)

    answer: set[str] = importlib.import_module("demarc.billing.rehearsal").rehearsed(work)
    return answer


def lines_of(run_id: int) -> set[str]:
    """A digest of each line that a run issued, with its document's sums."""
    return {row[0] for row in importlib.import_module("demarc.base.sql").rows(LINES, run=run_id)}


def columns(conn: psycopg.Connection, table: str, alias: str, skip: tuple[str, ...] = ()) -> str:
    """The table's columns, in order, as the alias has them."""
    rows = conn.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        (f"public.{table}",),
    ).fetchall()
    return ", ".join(f'{alias}."{name}"' for (name,) in rows if name not in skip)


def moment(day: date) -> datetime:
    """Nine in the morning of a day."""
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def recurring(people: Any, count: int, months: int, at: datetime) -> Any:
    """`count` recurring accounts with an active service, and money for all months but the last two."""
    actions = importlib.import_module("demarc.billing.actions")
    partner = people.provider()
    plans = importlib.import_module("demarc.plans.actions")
    plans.set_tax(
        partner.pk, category="standard", rate=Decimal("0.21"), valid_from=date(2020, 1, 1), by=people.SYSTEM, at=at
    )
    for start in range(0, count, CHUNK):
        services = people.held(partner, min(CHUNK, count - start), start, "recurring", at)
        accounts = importlib.import_module("demarc.plans.models").Service.objects.filter(pk__in=services)
        paid = {"amount": PRICE * (months - 1), "method": "bank", "received_on": at.date()}
        payments = [
            actions.NewPayment(account_id=account, key=f"b:{account}", **paid)
            for account in accounts.values_list("account_id", flat=True)
        ]
        actions.receive_many(payments, by=people.SYSTEM, at=at)
        actions.activate_many(services, by=people.SYSTEM, at=at)
        print(f"{start + len(services):,} accounts", file=sys.stderr, end="\r")
    return partner


def main(quick: bool = False, as_json: bool = False) -> int:
    """--quick: a tenth of the accounts, a sixth of the months."""
    accounts, months = (10_000, 6) if quick else (100_000, 36)
    with stage() as at_stage:
        people = importlib.import_module("bench.people")
        actions = importlib.import_module("demarc.billing.actions")
        importlib.import_module("demarc.project.cycles").look_seldom()  # as the worker does
        clock = importlib.import_module("demarc.base.clock")
        now = clock.now()
        begin = now.date().replace(day=1)
        of_documents = accounts * 9 // 10
        partner = recurring(people, of_documents, months, moment(begin))
        rates, again, previewed, differs = [], [], [], 0
        for month in range(1, months + 1):
            when = moment(add_months(begin, month, 1))
            started = time.monotonic()
            run = actions.preview_run(partner.pk, by=people.SYSTEM, at=when) if month in (1, months) else None
            if run is not None:
                previewed.append(time.monotonic() - started)
                shown = foreseen(run.pk, people, when)
            else:
                run, shown = bare_run(partner, when, people), set()
            actions.confirm_run(run.pk, by=people.SYSTEM, at=when)
            started = time.monotonic()
            done = actions.work_run(run.pk, by=people.SYSTEM, at=when, hands=HANDS)
            rates.append(done.done / (time.monotonic() - started))
            if done.state != "done" or done.documents != of_documents:
                parked = importlib.import_module("demarc.billing.models").RecurringState.objects.exclude(parked_at=None)
                why = parked.values_list("parked_reason", flat=True).first()
                raise RuntimeError(f"run {done.pk} is {done.state} with {done.documents} documents: {why}")
            if run.preview_hash:
                differs += len(shown ^ lines_of(run.pk)) + (run.preview_hash != done.posted_hash)
            started = time.monotonic()
            actions.work_run(bare_run(partner, when, people).pk, by=people.SYSTEM, at=when)
            again.append(time.monotonic() - started)
            print(f"month {month}: {rates[-1]:,.0f}/s", file=sys.stderr)
        ceiling = [documents(at_stage, of_documents) for _ in range(1 if quick else 3)]
        now = clock.now()  # the plan's price was recorded after the first one
        paid = list(people.prepaid(partner, accounts - of_documents, 100_000, at=now - timedelta(days=5)))
        daily = []
        for ago in range(4, -1, -1):
            day_at = (now - timedelta(days=ago)).date()
            started = time.monotonic()
            day = actions.open_day(partner.pk, day=day_at, by=people.SYSTEM, at=now, hands=HANDS)
            daily.append(paid[-1] / (time.monotonic() - started))
            if day.charged != paid[-1]:
                raise RuntimeError(f"{day.charged} of {paid[-1]} were charged")
    few = max(months // 6, 2)
    slowdown = median(rates[:few]) / median(rates[-few:])
    figures: dict[str, object] = {
        "invoice_accounts_per_s": round(median(rates[-few:])),
        "prepaid_accounts_per_s": round(median(daily)),
        "second_run_s": round(median(again), 3),
        "history_slowdown": round(slowdown, 3),
        "share_of_sql_ceiling": round(median(rates[-few:]) / median(ceiling), 2),
        "preview_s": round(previewed[-1], 1),
        "preview_differs": differs,
        "accounts": accounts,
        "months": months,
    }
    rows = [
        ("invoice_accounts_per_s", spread(rates[-few:]), ">= 5,000"),
        ("prepaid_accounts_per_s", spread(daily), ">= 10,000"),
        ("second_run_s", f"{median(again):.3f}", "< 2"),
        ("history_slowdown", f"{slowdown:.3f}", "< 1.10"),
        ("  set-based SQL", spread(ceiling), ""),
        ("share_of_sql_ceiling", f"{median(rates[-few:]) / median(ceiling):.2f}", ""),
        ("preview_s", f"{previewed[-1]:.1f}", ""),
        ("preview_differs", str(differs), "0 lines"),
    ]
    conclude(rows, figures, as_json=as_json)
    return 0


def bare_run(partner: Any, when: datetime, people: Any) -> Any:
    """A run that was not previewed."""
    models = importlib.import_module("demarc.billing.models")
    recorded = importlib.import_module("demarc.base.actors").recorded
    return models.InvoiceRun.objects.create(partner=partner, day=when.date(), **recorded(people.SYSTEM, when))


if __name__ == "__main__":
    sys.exit(main(**flags()))
