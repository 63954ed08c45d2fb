"""A volume of a month with a real radiusd: counted from accounting, slowed and blocked by CoA, answered, and freed."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from tests.access.scene import login, scene, service
from tests.cast import STAFF
from tests.cluster import Cluster
from tests.radiusd.process import radiusd
from tests.sim.nas import PretendNas

from demarc.access import actions
from demarc.access.models import CoaIntent, Usage
from demarc.base import clock
from demarc.project.config import RADIUS

pytestmark = pytest.mark.lab
GB = 10**9


def test_who_is_through_is_slowed_then_blocked_and_free_in_the_next_month(committed, cluster: Cluster, tmp_path: Path):
    with PretendNas("127.0.1.1", secret="testing123") as router:
        on = scene(coa_port=router.port)
        actions.set_fair_use(on.plan.pk, monthly_gb=1, down_kbps=1000, up_kbps=500, by=STAFF, at=clock.now())
        ana = login(service(on))
        actions.sync_services([ana.service_id], at=clock.now())
        actions.publish_policy(on.partner.pk, at=clock.now())
        with radiusd(tmp_path, cluster.url(RADIUS), DEMARC_KEYS=str(settings.DEMARC_KEYS)) as server:
            accepted = router.log_in(server.auth, "ana", "secret")
            assert accepted["Mikrotik-Rate-Limit"] == "1M/5M"
            mine = {"Framed_IP_Address": accepted["Framed-IP-Address"], "Class": accepted["Class"]}
            assert router.account(server.acct, "Start", "ana", "s1", **mine)
            octets = {"Acct_Session_Time": 60, "Acct_Output_Octets": GB, "Acct_Input_Octets": 1}
            assert router.account(server.acct, "Interim-Update", "ana", "s1", **mine, **octets)
            server.until(lambda status: Usage.objects.filter(output_octets=GB).exists())
            actions.measure_fair_use(at=clock.now())
            assert router.wait_for(kind="CoA-Request", within_s=5)["Mikrotik-Rate-Limit"] == "500k/1M"
            server.until(lambda status: answered(router, server)["Mikrotik-Rate-Limit"] == "500k/1M")

            actions.set_fair_use(on.plan.pk, monthly_gb=1, by=STAFF, at=clock.now())
            actions.sync_services([ana.service_id], at=clock.now())
            server.until(lambda status: CoaIntent.objects.filter(list_name="Reject_2", state="ack").exists())
            server.until(lambda status: answered(router, server).get("Mikrotik-Address-List") == "Reject_2")

            actions.set_fair_use_block(on.partner.pk, "mikrotik", block="reject", by=STAFF, at=clock.now())
            actions.publish_policy(on.partner.pk, at=clock.now())
            server.until(lambda status: answered(router, server).kind == "Access-Reject")

            actions.measure_fair_use(at=clock.now() + timedelta(days=32))
            server.until(lambda status: answered(router, server).get("Mikrotik-Rate-Limit") == "1M/5M")


def answered(router: PretendNas, server):
    return router.log_in(server.auth, "ana", "secret")
