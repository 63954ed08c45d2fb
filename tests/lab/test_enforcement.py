"""Many blocks at once over five routers that obey, know nothing, understand nothing, are dead, or lose half of it all:
each order comes to an end that can be shown. DEMARC_BLOCKS=10000 for the long run, and that with the real timers."""

import asyncio
import contextlib
import os
import random
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from tests.radiusd.stage import SECRET, add_nas, add_subscriber, set_stage
from tests.sim.nas import PretendNas

from demarc.access import orders
from demarc.access.models import CoaIntent, SessionLive
from demarc.base import clock
from demarc.base.seal import Opener
from demarc.project.config import RADIUS
from demarc.radiusd.coa import USUAL_PACE, Pace, Sender
from demarc.radiusd.coa_wire import RFC_5080, Timers, Wire
from demarc.radiusd.config import Config
from demarc.radiusd.counters import Counters
from demarc.radiusd.feed import Follower, connect
from demarc.radiusd.model import Model

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
LONG_RUN = 10_000
MINUTES_MAX = 10
BLOCKS = int(os.environ.get("DEMARC_BLOCKS", "1000"))
QUICK = Timers(first_s=0.05, longest_s=0.4, give_up_s=0.5, sends_max=5)
PACE = Pace(at_once=48, per_s=2000, again_s=(0.05,))
LOST_ON_THE_WAY = 0.51
"""30 % each way: that an order or its answer is lost."""

KINDS = ("obeys", "knows_nothing", "understands_nothing", "dead", "loses")


def on_coa(kind: str, dice: random.Random):
    return {
        "obeys": lambda heard: "ack",
        "knows_nothing": lambda heard: 503,
        "understands_nothing": lambda heard: 401 if heard.kind == "CoA-Request" else "ack",
        "dead": lambda heard: "silent",
        "loses": lambda heard: "silent" if dice.random() < LOST_ON_THE_WAY else "ack",
    }[kind]


@pytest.fixture(scope="module")
def routers(committed):
    stage = set_stage(Path(settings.DEMARC_KEYS), addresses=())
    subscriber = add_subscriber(stage, "ana")
    dice = random.Random(7)
    with contextlib.ExitStack() as stack:
        found = {}
        for number, kind in enumerate(KINDS):
            one = PretendNas(f"127.0.0.{31 + number}", secret=SECRET, on_coa=on_coa(kind, dice))
            nas = add_nas(stage, one.address, coa_port=one.port)
            found[kind] = (stack.enter_context(one), nas)
        yield stage, subscriber, found


def block_all(stage, subscriber, routers, share: int = BLOCKS // len(KINDS)) -> None:
    now = timezone.now()
    sessions, intents = [], []
    for _, nas in routers.values():
        for number in range(share):
            whose = {"nas": nas, "session_id": f"s{number}", "user_name": f"u{number}"}
            sessions.append(
                SessionLive(
                    **whose, boot_epoch=0, partner=stage.partner, subscriber=subscriber, service=subscriber.service,
                    started_at=now - timedelta(hours=1), updated_at=now,
                )
            )  # fmt: skip
            intents.append(
                CoaIntent(**whose, node="main", subscriber=subscriber, kind="coa", list_name="Reject_2", rate_limit="")
            )
    SessionLive.objects.bulk_create(sessions)
    CoaIntent.objects.bulk_create(intents)


async def work_off(url: str, gone: list, pace: Pace = PACE, timers: Timers = QUICK) -> float:
    """Run the sender until nothing is left to send; how many seconds that took."""
    model = Model(Opener((Path(settings.DEMARC_KEYS) / "radius.key").read_bytes()))
    async with await connect(url) as conn:
        await Follower(url, model).load(conn)
        config = Config(url=url, data=Path(), keys=Path(settings.DEMARC_KEYS), bind="127.0.0.1")
        wire = Wire(config.bind, Counters(), timers)
        sending = asyncio.create_task(Sender(config, model, wire, clock.now, gone.append, pace).run())
        began = time.monotonic()
        try:
            while await _open(conn):
                assert time.monotonic() - began < 800, "not all came to an end"
                await asyncio.sleep(0.2)
            return time.monotonic() - began
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            wire.close()


async def _open(conn) -> int:
    rows = await conn.execute(
        """SELECT count(*) FROM access_coaintent i WHERE (state IN ('queued', 'sent', 'later')
               OR state IN ('no_answer', 'ignored') AND tries < 5)
             AND NOT EXISTS (SELECT FROM access_coaintent n WHERE n.nas_id = i.nas_id
               AND n.session_id = i.session_id AND n.user_name = i.user_name AND n.id > i.id)"""
    )
    return (await rows.fetchone())[0]


def last_words(nas) -> Counter:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT ON (session_id) kind || ' ' || state FROM access_coaintent
               WHERE nas_id = %s ORDER BY session_id, id DESC""",
            [nas.pk],
        )
        return Counter(word for (word,) in cursor.fetchall())


def test_every_one_of_a_thousand_blocks_comes_to_an_end_that_is_shown(routers, cluster):
    stage, subscriber, found = routers
    block_all(stage, subscriber, found)
    gone: list = []
    took_s = asyncio.run(work_off(cluster.url(RADIUS), gone))
    words = {kind: last_words(nas) for kind, (_, nas) in found.items()}
    share = BLOCKS // len(KINDS)
    assert words["obeys"] == {"coa ack": share}
    assert words["knows_nothing"] == {"coa gone": share}
    assert words["understands_nothing"] == {"disconnect ack": share}
    assert words["dead"] == {"disconnect no_answer": share}
    assert set(words["loses"]) <= {"coa ack", "disconnect ack", "disconnect no_answer"}
    assert words["loses"]["coa ack"] > share * 0.9
    assert len(gone) == share
    total, *by_router = orders.speeds(None)
    assert (total.stuck, by_router[0].stuck) == (share + words["loses"]["disconnect no_answer"], share)
    assert by_router[0].router_id == found["dead"][1].router_id
    assert by_router[0].why == "No answer"
    assert 0 < total.answered_s[0] <= total.answered_s[1] < took_s


def test_orders_never_exceed_what_the_router_is_to_bear(routers, cluster):
    one, nas = routers[2]["obeys"]
    CoaIntent.objects.all().delete()
    CoaIntent.objects.bulk_create(
        CoaIntent(
            nas=nas, node="main", kind="coa", list_name="Reject_2", session_id=f"p{n}", user_name=f"p{n}",
            unblock=n == 149,
        )
        for n in range(150)
    )  # fmt: skip
    one.heard.clear()
    began = time.monotonic()
    asyncio.run(work_off(cluster.url(RADIUS), [], Pace(at_once=16, per_s=50)))
    at = [heard.at for heard in one.heard if heard["User-Name"] != "p149"]
    assert {heard["User-Name"] for heard in one.heard} == {f"p{n}" for n in range(150)}  # one may have been repeated
    assert all(came - began >= (before - 2) / 50 for before, came in enumerate(at))  # a busy machine makes it later
    assert [heard["User-Name"] for heard in one.heard].index("p149") < 8


def test_one_that_is_not_answered_lets_the_others_go_on(routers, cluster):
    one, nas = routers[2]["obeys"]
    CoaIntent.objects.all().delete()
    one.heard.clear()
    deaf = iter(["silent"])
    one.on_coa = lambda heard: next(deaf, "ack") if heard["User-Name"] == "q0" else "ack"
    whose = {"nas": nas, "node": "main", "kind": "coa", "list_name": "Reject_2"}
    CoaIntent.objects.bulk_create(CoaIntent(**whose, session_id=f"q{n}", user_name=f"q{n}") for n in range(4))
    asyncio.run(work_off(cluster.url(RADIUS), [], Pace(at_once=1), Timers(first_s=4.0)))
    assert [heard["User-Name"] for heard in one.heard] == ["q0", "q1", "q2", "q3", "q0"]
    assert one.heard[3].at < one.heard[4].at - 2, "they did not wait for the one that is not answered"
    assert last_words(nas) == {"coa ack": 4}


@pytest.mark.skipif(BLOCKS < LONG_RUN, reason="the long run, by hand: some minutes")
def test_ten_thousand_blocks_over_a_line_that_loses_a_third_each_way_are_final_in_ten_minutes(routers, cluster):
    stage, subscriber, found = routers
    CoaIntent.objects.all().delete()
    SessionLive.objects.all().delete()
    block_all(stage, subscriber, {"loses": found["loses"]}, BLOCKS)
    took_s = asyncio.run(work_off(cluster.url(RADIUS), [], USUAL_PACE, RFC_5080))
    words = last_words(found["loses"][1])
    print(f"{BLOCKS} blocks over one router: {dict(words)} after {took_s:.0f} s")  # noqa: T201 - run by hand
    assert sum(words.values()) == BLOCKS
    assert set(words) <= {"coa ack", "disconnect ack"}
    assert took_s < MINUTES_MAX * 60
