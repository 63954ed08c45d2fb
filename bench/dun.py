"""Dunning: 100,000 recurring accounts reminded and blocked in one hour, the same hour again, and a simulation."""

import importlib
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from bench.stage import conclude, flags, stage

ACCOUNTS = 100_000
LATE = timedelta(days=17)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and answer."""
    started = time.monotonic()
    answer = work()
    return time.monotonic() - started, answer


def main(quick: bool = False, as_json: bool = False) -> int:
    """Everybody's first document is overdue and nobody was reminded: the worst hour there is. --quick: 10,000."""
    count = ACCOUNTS // 10 if quick else ACCOUNTS
    with stage():
        people = importlib.import_module("bench.people")
        actions = importlib.import_module("demarc.billing.actions")
        queries = importlib.import_module("demarc.billing.queries")
        system = importlib.import_module("demarc.base.actors").SYSTEM
        now = importlib.import_module("demarc.base.clock").now()
        partner = people.provider()
        rules = {
            "wave_least": count,
            "on_weekends": True,
            "on_holidays": True,
            "block_hour": 0,
            "reminders": [(1, 0, "mail")],
        }
        actions.set_dunning_terms(partner.pk, valid_from=date(2020, 1, 1), by=system, at=now, **rules)
        for start in range(0, count, people.CHUNK):
            services = people.held(partner, people.CHUNK, start, "recurring")
            actions.activate_many(services, by=system, at=now - LATE + timedelta(days=1))
            print(f"{start + people.CHUNK:,} accounts", file=sys.stderr, end="\r")
        foresee_s, foresight = timed(lambda: queries.foresee(partner, queries.WhatIf({"grace_days": 5}), at=now))
        first_s, first = timed(lambda: actions.remind_and_block(partner.pk, by=system, at=now))
        again_s, again = timed(lambda: actions.remind_and_block(partner.pk, by=system, at=now))
    assert (first.reminded, first.blocked, again.reminded, again.blocked) == (count, count, 0, 0)
    figures: dict[str, object] = {
        "hour_s": round(first_s, 1),
        "again_s": round(again_s, 1),
        "foresee_s": round(foresee_s, 1),
        "foreseen": foresight.accounts,
        "accounts": count,
    }
    rows = [
        ("hour_s", f"{first_s:.1f}", "< 60"),
        ("again_s", f"{again_s:.1f}", "< 15"),
        ("foresee_s", f"{foresee_s:.1f}", f"{foresight.accounts:,} accounts"),
    ]
    conclude(rows, figures, as_json=as_json)
    return 0


if __name__ == "__main__":
    sys.exit(main(**flags()))
