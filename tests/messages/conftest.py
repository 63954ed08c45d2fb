"""Where a gateway may be this machine: a data directory made for tests."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import settings
from tests.cluster import Cluster
from tests.sim.sms import SmsGateway, sms_gateway
from tests.sim.smtp import MailServer, mail_server


@pytest.fixture
def trial(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Demarc runs on the tests' own data directory, which carries the mark TEST."""
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, data=cluster.config.data))


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def sms(trial: None) -> Iterator[SmsGateway]:
    with sms_gateway() as running:
        yield running
