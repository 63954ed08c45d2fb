"""The life of a prepaid customer, by real programs against a running Demarc: online, charged, blocked, paid, back.

Twenty at forty a month in a 30-day month last exactly fifteen days.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.flows.programs import Api, customers_machine, page, radclient
from tests.installation import Installation
from tests.sim.nas import PretendNas

ACTIVATED = datetime(2026, 3, 31, 0, 5, tzinfo=UTC)
NAS = "127.0.0.7"
SECRET = "story-secret-of-the-nas"
ACCOUNTS = int(os.environ.get("DEMARC_STORY_ACCOUNTS", "2000"))
"""Accounts whose billing run goes on while the customer pays; 100,000 by hand, kept in bench/results."""

HEADSTART_S = 1.5
"""The command needs about a second before its run begins."""

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("radclient") is None, reason="needs Debian's freeradius-utils"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for the customer's network namespace"),
]


class World:
    """A running Demarc, seen through its doors."""

    def __init__(self, demarc: Installation, nas: PretendNas) -> None:
        self.demarc = demarc
        self.nas = nas
        token = demarc.run("token", "story", "--role", "Administrator").stdout.split()[-1]
        self.api = Api(f"http://127.0.0.1:{demarc.ports['web']}", token)

    def is_now(self, moment: datetime) -> None:
        done = self.demarc.run("clock", "--set", moment.astimezone(UTC).isoformat())
        assert done.returncode == 0, done.stderr

    def bill(self, day: str) -> None:
        done = self.demarc.run("bill", "--date", day)
        assert done.returncode == 0, done.stderr

    def log_in(self, secret: str = SECRET, password: str = "marta-secret") -> str:
        said = (
            f'User-Name="marta",User-Password="{password}",Packet-Src-IP-Address={NAS},NAS-IP-Address={NAS},'
            'Calling-Station-Id="02:00:00:00:00:07"'
        )
        return radclient("127.0.0.1", self.demarc.ports["auth"], secret, "auth", said)

    def account(self, status: str, address: str, seconds: int) -> str:
        said = (
            f'User-Name="marta",Acct-Session-Id="81000001",Acct-Status-Type={status},Framed-IP-Address={address},'
            f"Packet-Src-IP-Address={NAS},NAS-IP-Address={NAS},Acct-Session-Time={seconds},"
            f'Calling-Station-Id="02:00:00:00:00:07",Acct-Input-Octets={seconds * 10},Acct-Output-Octets={seconds * 90}'
        )
        return radclient("127.0.0.1", self.demarc.ports["acct"], SECRET, "acct", said)

    def balance(self, account_id: int) -> str:
        return self.api.get(f"/accounts/{account_id}")["balance"]

    def status(self, customer_id: int) -> str:
        return self.api.get(f"/customers/{customer_id}")["status"]

    def is_on(self) -> bool:
        """Whether his session is on, and was heard of on the present day."""
        sessions = self.api.get("/sessions")["items"]
        return any(one["session_time_s"] == 16 * 86400 for one in sessions)

    def until(self, true, within_s: float = 60) -> None:
        self.demarc.wait_until(true, within_s)

    def told(self, kind: str, within_s: float, **wanted):
        """What the router was told; when it was not, how all processes are and what they said is in the failure."""
        try:
            return self.nas.wait_for(kind=kind, within_s=within_s, **wanted)
        except AssertionError as missing:
            missing.add_note(f"{self.demarc.status()}\n{self.demarc.said()[-8000:]}")
            raise


@pytest.fixture
def world():
    demarc = Installation()
    try:
        # Its time is the story's from the first minute on: a day that was billed does not come again.
        (demarc.data / "TEST").touch()
        moved = demarc.run("clock", "--set", ACTIVATED.isoformat())
        assert moved.returncode == 0, moved.stderr
        demarc.start(within_s=120)
        with PretendNas(NAS, secret=SECRET) as nas:
            yield World(demarc, nas)
    finally:
        demarc.remove()


def attribute(reply: str, name: str) -> str:
    """The value of an attribute in what radclient printed of the reply."""
    answered = reply[reply.index("Received Access-Accept") :]
    line = next(line for line in answered.splitlines() if line.strip().startswith(f"{name} ="))
    return line.partition("=")[2].strip().strip('"')


def provide(world: World) -> tuple[int, int, int]:
    """Router, pool, plan and the customer with his twenty, by API; ids of customer, account and service."""
    api = world.api
    partner = api.get("/partners")["items"][0]
    terms = {"valid_from": "2026-01-01", "day_rule": "thirty"}
    router = api.post("/routers", {"partner_id": partner["id"], "name": "bras-7"})
    api.put(f"/routers/{router['id']}/nas", {"address": NAS, "secret": SECRET, "coa_port": world.nas.port})
    api.post(
        "/pools",
        {"partner_id": partner["id"], "name": "bras-7", "network": "172.30.64.0/20", "router_id": router["id"]},
    )
    plan = api.post(
        "/plans",
        {"partner_id": partner["id"], "name": "Home", "price": "40.00", "speed_down_kbps": 5000, "speed_up_kbps": 1000},
    )
    customer = api.post("/customers", {"partner_id": partner["id"], "name": "Marta Soler"})
    account_id = customer["accounts"][0]["id"]
    api.post(f"/accounts/{account_id}/terms", terms)
    service = api.post("/services", {"customer_id": customer["id"], "plan_id": plan["id"]})
    api.post("/logins", {"service_id": service["id"], "login": "marta", "password": "marta-secret"})
    paid = {"account_id": account_id, "amount": "20.00", "method": "cash"}
    first = api.post("/payments", paid, key="first-twenty")
    assert api.post("/payments", paid, key="first-twenty")["id"] == first["id"]
    api.post(f"/services/{service['id']}/activate")
    return customer["id"], account_id, service["id"]


def test_twenty_lasts_fifteen_days_and_paying_brings_him_back(world):
    world.is_now(ACTIVATED)
    customer_id, account_id, _ = provide(world)
    world.until(lambda: "Access-Accept" in world.log_in())
    reply = world.log_in()
    address = attribute(reply, "Framed-IP-Address")
    assert address.startswith("172.30.")
    assert attribute(reply, "Mikrotik-Rate-Limit") == "1M/5M"
    assert "Received" not in world.log_in(secret="another secret")
    assert "Accounting-Response" in world.account("Start", address, 0)

    live_fifteen_days(world, account_id, customer_id, address)
    crowd = [sys.executable, "-m", "tests.flows.crowd", str(ACCOUNTS)]
    subprocess.run(crowd, env=world.demarc.environ, check=True)

    world.is_now(ACTIVATED + timedelta(days=16))
    # His router has gone on telling; a session that was silent for a day would be over, with nobody to send a CoA to.
    assert "Accounting-Response" in world.account("Interim-Update", address, 16 * 86400)
    world.until(world.is_on)
    world.bill("2026-04-16")
    assert world.status(customer_id) == "blocked"
    assert world.balance(account_id) == "0.00"
    told = world.told("CoA-Request", 120)
    assert told["Mikrotik-Address-List"] == "Reject_2"

    with customers_machine(address) as (gateway, inside):
        port = world.demarc.ports["pages"][1]
        world.until(lambda: "1.33" in page(inside, gateway, port))
        assert "marta" not in page(inside, gateway, port).lower()
        assert "1,33" in page(inside, gateway, port, "es")

    world.is_now(ACTIVATED + timedelta(days=17))
    pay_while_others_are_billed(world, account_id)
    world.until(lambda: world.status(customer_id) == "active")
    world.until(lambda: "Reject_2" not in world.log_in())
    assert "Access-Accept" in world.log_in()
    checked = world.demarc.run("check")
    assert checked.returncode == 0, checked.stdout


def live_fifteen_days(world: World, account_id: int, customer_id: int, address: str) -> None:
    """Each 00:00 takes a day's charge, the fifteenth the last cent; he stays online through all of them."""
    left = ["18.67", "17.33", "16.00", "14.67", "13.33", "12.00", "10.67", "9.33", "8.00", "6.67", "5.33", "4.00"]
    left += ["2.67", "1.33", "0.00"]
    for number, expected in enumerate(left, start=1):
        now = ACTIVATED + timedelta(days=number)
        world.is_now(now)
        world.bill(now.date().isoformat())
        assert world.balance(account_id) == expected, f"after day {number}"
        assert world.status(customer_id) == "active"
        assert "Accounting-Response" in world.account("Interim-Update", address, number * 86400)


def pay_while_others_are_billed(world: World, account_id: int) -> None:
    """The payment does not wait for a billing run that is going on."""
    running = threading.Thread(target=world.bill, args=("2026-04-17",))
    running.start()
    time.sleep(HEADSTART_S)
    heard, started = len(world.nas.heard), time.monotonic()
    world.api.post("/payments", {"account_id": account_id, "amount": "20.00", "method": "card"}, key="second-twenty")
    told = world.nas.wait_for(kind="CoA-Request", within_s=10, after=heard)
    took, still = time.monotonic() - started, running.is_alive()
    assert told["Mikrotik-Address-List"] != "Reject_2"
    running.join()
    sys.stdout.write(f"payment to CoA: {took:.2f} s; {ACCOUNTS:,} accounts, their run still going on: {still}\n")
