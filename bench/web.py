"""The staff pages with 8 people at once on the demo of 100,000 customers (1,000 with --quick): lists, the search, a
customer's page and the dashboard, each answer by a real server; then the plans of their queries."""

import importlib
import json
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

from bench.stage import Stage, conclude, flags, stage

CUSTOMERS, CUSTOMERS_QUICK = 100_000, 1_000
PEOPLE = 8
ROUNDS, ROUNDS_QUICK = 30, 3
PORT = 24880
START_S = 120
ANSWER_S = 30
P95 = 19
"""The last of the cuts into 20 parts."""
BIG = ("customers_customer", "customers_account", "billing_document", "billing_payment", "billing_transfer",
       "messages_message", "access_sessionlog", "base_searchword", "base_operationlog")  # fmt: skip
LISTS = (
    "/customers/", "/customers/?sort=name", "/customers/?sort=-number", "/customers/?status=blocked",
    "/customers/?q=ma", "/customers/?q=ana+garcia", "/customers/?billing=prepaid", "/sessions/", "/sessions/?q=ma",
    "/sessions/past/", "/radius/decisions/", "/documents/", "/documents/?state=overdue", "/documents/?q=maria",
    "/documents/?sort=-issued_on", "/runs/", "/payments/", "/payments/?sort=-received_on", "/payments/?q=maria",
    "/messages/", "/messages/?q=maria", "/waves/", "/plans/", "/routers/", "/pools/", "/signing-in/",
)  # fmt: skip
TEXTS = ("ma", "mar", "maria", "garcia", "ana garcia", "carrer", "972 1", "34972", "000123", "100.", "nobody", "2026")


@contextmanager
def server(at_stage: Stage) -> Iterator[None]:
    """The web application as `demarc up` runs it: two processes, four threads each."""
    command = [
        "granian", "--interface=wsgi", "--no-ws", "--host=127.0.0.1", f"--port={PORT}", "--workers=2",
        "--blocking-threads=4", "--log-level=error", "demarc.project.wsgi:application",
    ]  # fmt: skip
    with subprocess.Popen([sys.executable, "-m", *command], env=at_stage.environment()) as process:
        try:
            until = time.monotonic() + START_S
            while not _answers():
                if time.monotonic() > until:
                    raise RuntimeError(f"the server did not answer within {START_S} s")
                time.sleep(0.2)
            yield
        finally:
            process.terminate()


def _answers() -> bool:
    try:
        return get("/login/", "")[0] == 200
    except OSError:
        return False


def get(path: str, cookie: str, line: HTTPConnection | None = None) -> tuple[int, float]:
    """One page: its status, and milliseconds until the whole of it is there."""
    line = line or HTTPConnection("127.0.0.1", PORT, timeout=ANSWER_S)
    started = time.perf_counter()
    line.request("GET", path, headers={"Cookie": cookie, "Host": "127.0.0.1"})
    answer = line.getresponse()
    answer.read()
    return answer.status, (time.perf_counter() - started) * 1000


def cookies() -> list[str]:
    """A session for each of the people, who may see all."""
    client = importlib.import_module("django.test").Client
    models = importlib.import_module("demarc.staff.models")
    actions = importlib.import_module("demarc.staff.actions")
    facts = {"by": importlib.import_module("demarc.base.actors").SYSTEM, "at": datetime.now(UTC)}
    made = []
    for number in range(PEOPLE):
        name = f"bench{number}"
        actions.create_login(username=name, password=f"correct horse {name}", role="Super administrator", **facts)
        browser = client()
        browser.force_login(models.Login.objects.get(username=name))
        made.append("; ".join(f"{key}={one.value}" for key, one in browser.cookies.items()))
    return made


def visited(pages: Sequence[str], cookies: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Milliseconds by page: everybody asks for all of them, each in his own order. A page must answer 200."""
    took: dict[str, list[float]] = defaultdict(list)
    wrong: set[tuple[str, int]] = set()

    def work(number: int) -> None:
        line = HTTPConnection("127.0.0.1", PORT, timeout=ANSWER_S)
        order = random.Random(number)  # an order, no secret
        for _ in range(rounds):
            for page in order.sample(pages, len(pages)):
                status, ms = get(page, cookies[number], line)
                took[page].append(ms)
                if status != 200:
                    wrong.add((page, status))

    with ThreadPoolExecutor(PEOPLE) as hands:
        list(hands.map(work, range(PEOPLE)))
    if wrong:
        raise RuntimeError(f"these pages did not answer 200: {sorted(wrong)}")
    return took


def scanned(pages: Sequence[str]) -> dict[str, list[str]]:
    """The big tables that a page reads from end to end, by the plans that PostgreSQL makes for its queries."""
    test = importlib.import_module("django.test")
    db = importlib.import_module("django.db")
    utils = importlib.import_module("django.test.utils")
    browser = test.Client()
    browser.force_login(importlib.import_module("demarc.staff.models").Login.objects.get(username="bench0"))
    found: dict[str, list[str]] = {}
    for page in pages:
        with utils.CaptureQueriesContext(db.connection) as asked:
            browser.get(page, headers={"Host": "127.0.0.1"})
        plans = [_plan(db.connection, one["sql"]) for one in asked if one["sql"].lstrip().startswith("SELECT")]
        tables = sorted({table for table in BIG for plan in plans if f"Seq Scan on {table}" in plan})
        if tables:
            found[page] = tables
    return found


def _plan(connection: Any, statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement.replace('%', '%%')}", ())
        return "\n".join(line for (line,) in cursor.fetchall())


def p95(figures: Sequence[float]) -> float:
    """The time within which 95 of 100 answers were there."""
    return statistics.quantiles(figures, n=20)[P95 - 1]


def one_size(customers: int, rounds: int) -> int:
    """Fill, visit, explain, and print the figures."""
    with stage() as at_stage:
        demo = importlib.import_module("demarc.project.demo")
        actors = importlib.import_module("demarc.base.actors")
        models = importlib.import_module("demarc.customers.models")
        for _ in demo.fill(by=actors.SYSTEM, at=datetime.now(UTC), customers=customers):
            pass
        connection = importlib.import_module("django.db").connection
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        keys = list(models.Customer.objects.order_by("id").values_list("id", flat=True)[:: max(1, customers // 5)])
        searches = [f"/search/?q={text.replace(' ', '+')}" for text in TEXTS]
        pages = ["/", *LISTS, *searches, *(f"/customers/{key}/" for key in keys)]
        given = cookies()
        with server(at_stage):
            visited(pages, given, 1)
            took = visited(pages, given, rounds)
        figures = {page: round(p95(times), 1) for page, times in took.items()}
        print(json.dumps({"p95": figures, "scanned": scanned(pages), "searches": searches}))
    return 0


def main(quick: bool = False, as_json: bool = False) -> int:
    """In a process of its own, since Django is set up once per process."""
    customers, rounds = (CUSTOMERS_QUICK, ROUNDS_QUICK) if quick else (CUSTOMERS, ROUNDS)
    program = f"from bench.web import one_size; one_size({customers}, {rounds})"
    said = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE).stdout
    found = json.loads(said.splitlines()[-1])
    times: dict[str, float] = found["p95"]
    worst, search = max(times.values()), max(times[page] for page in found["searches"])
    rows = [(page, f"{ms:,.0f} ms", "") for page, ms in sorted(times.items(), key=lambda pair: -pair[1])]
    rows += [(f"scanned: {page}", ", ".join(tables), "none") for page, tables in found["scanned"].items()]
    rows += [("worst_p95_ms", f"{worst:,.0f}", "< 200"), ("search_p95_ms", f"{search:,.0f}", "< 100")]
    figures = {"worst_p95_ms": worst, "search_p95_ms": search, "p95_ms": times, "scanned": found["scanned"]}
    conclude(rows, {**figures, "customers": customers, "people": PEOPLE}, as_json=as_json)
    return 0


if __name__ == "__main__":
    sys.exit(main(**flags()))
