"""A provider for each story, and what must be so after every one."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.stories.life import Provider, StoryClock, provider

from demarc.base import clock
from demarc.billing import check
from demarc.billing.replay import Replay


@pytest.fixture
def begins(pages: None, monkeypatch: Any) -> Iterator[Callable[..., Provider]]:
    """begins("2024-01-17", zone=, currency=, **calendar): a provider at ten o'clock of that day, who follows up no
    debts unless he `duns`. When the story is told, `demarc check --all` has nothing to say: neither the checks nor the
    replay of every amount from its facts."""
    testing = StoryClock(datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC")))
    monkeypatch.setattr(clock, "now", testing.now)

    def begin(
        day: str, *, zone: str = "UTC", currency: str = "EUR", hour: int = 10, duns: bool = False, **calendar: Any
    ) -> Provider:
        moment = datetime.fromisoformat(day).replace(hour=hour, tzinfo=ZoneInfo(zone))
        isp = provider(moment, zone=zone, currency=currency, clock_of_tests=testing)
        isp.duns = duns
        if not duns:
            isp.dunning(reminders=[], blocks=False)
        if calendar:
            isp.calendar(**calendar)
        return isp

    yield begin
    assert check.run(days=3000) == []
    replay, found = Replay(), []
    while (some := replay.chunk()) is not None:
        found += some
    assert found == []
    assert replay.accounts
