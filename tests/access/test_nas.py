"""Routers as RADIUS clients."""

import pytest
from django.db import IntegrityError, connection, transaction
from tests.access.scene import scene
from tests.cast import AT, STAFF

from demarc.access import actions
from demarc.access.models import Feed, Nas
from demarc.base.models import OperationLog
from demarc.base.seal import Opener, Unsealable
from demarc.base.vault import keys_directory, seal_for_radius
from demarc.core.errors import Refused
from demarc.network import actions as network

pytestmark = pytest.mark.django_db


def opener() -> Opener:
    """radiusd's."""
    return Opener((keys_directory() / "radius.key").read_bytes())


def save(router, address="127.0.1.9", secret="testing123", **facts) -> Nas:
    return actions.save_nas(router_id=router.pk, address=address, secret=secret, by=STAFF, at=AT, **facts)


def another_router(on, name="South"):
    return network.create_router(partner_id=on.partner.pk, name=name, by=STAFF, at=AT)


def test_its_secret_is_sealed_for_radiusd_and_for_its_own_row():
    on = scene()
    other = save(another_router(on), secret="another secret")
    nas = Nas.objects.get(pk=on.nas.pk)
    assert b"testing123" not in bytes(nas.secret)
    assert opener().open(bytes(nas.secret), f"access_nas.secret.{nas.pk}") == b"testing123"
    with pytest.raises(Unsealable):
        opener().open(bytes(nas.secret), f"access_nas.secret.{other.pk}")


def test_an_empty_secret_keeps_the_present_one():
    on = scene()
    save(on.router, secret="", coa_port=1700)
    nas = Nas.objects.get(pk=on.nas.pk)
    assert nas.coa_port == 1700
    assert opener().open(bytes(nas.secret), f"access_nas.secret.{nas.pk}") == b"testing123"


def test_a_new_one_needs_a_secret():
    with pytest.raises(Refused) as refused:
        save(another_router(scene()), secret="")
    assert refused.value.field == "secret"


def test_an_address_belongs_to_one_nas_and_the_refusal_names_its_router():
    on = scene()
    with pytest.raises(Refused) as refused:
        save(another_router(on), address="127.0.1.1")
    assert (refused.value.field, refused.value.holder) == ("address", ("router", on.router.pk))


def test_another_partners_router_is_not_named():
    scene()
    other = scene("Other", number=1)
    with pytest.raises(Refused) as refused:
        save(other.router, address="127.0.1.1", secret="")
    assert refused.value.holder is None


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"address": "router.example.net"}, "address"),
        ({"address": "10.0.0.0/8"}, "address"),
        ({"address": "0.0.0.0"}, "address"),
        ({"address": "224.0.0.1"}, "address"),
        ({"secret": "x" * 129}, "secret"),
        ({"secret": "bell\a"}, "secret"),
        ({"coa_port": 0}, "coa_port"),
        ({"interim_s": 59}, "interim_s"),
        ({"interim_s": 86401}, "interim_s"),
        ({"require_authenticator": "maybe"}, "require_authenticator"),
        ({"block_by": "shouting"}, "block_by"),
        ({"framed_pool": "x" * 61}, "framed_pool"),
        ({"node": ""}, "node"),
    ],
)
def test_nonsense_is_refused_at_its_field(facts, field):
    router = another_router(scene())
    with pytest.raises(Refused) as refused:
        save(router, **facts)
    assert refused.value.field == field
    assert not Nas.objects.filter(router=router).exists()


def test_the_database_refuses_what_the_action_would():
    nas = scene().nas
    for change in ({"interim_s": 5}, {"coa_port": 70000}, {"require_authenticator": "hm"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Nas.objects.filter(pk=nas.pk).update(**change)


def test_what_radiusd_writes_meanwhile_is_kept(monkeypatch):
    on = scene()

    def sealed_while_radiusd_writes(secret: str, place: str) -> bytes:
        Nas.objects.filter(pk=on.nas.pk).update(boot_epoch=7, last_seen_at=AT)
        return seal_for_radius(secret, place)

    monkeypatch.setattr("demarc.access.actions.nas.seal_for_radius", sealed_while_radiusd_writes)
    save(on.router, address="127.0.1.1", interim_s=600)
    nas = Nas.objects.get(pk=on.nas.pk)
    assert (nas.boot_epoch, nas.last_seen_at, nas.interim_s) == (7, AT, 600)


def test_another_router_at_a_new_address_is_learned_anew():
    on = scene()
    Nas.objects.filter(pk=on.nas.pk).update(sends_authenticator=True)
    save(on.router, address="127.0.1.99")
    assert Nas.objects.get(pk=on.nas.pk).sends_authenticator is None


def test_radiusd_is_told_and_the_log_holds_no_secret():
    on = scene()
    save(on.router, secret="a very new secret")
    assert Feed.objects.filter(kind="nas", key=on.nas.pk).count() == 2
    row = OperationLog.objects.filter(verb="nas_saved").latest("id")
    assert row.subject_id == on.router.pk
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM access_feed WHERE kind = 'nas' AND key = %s"
            " AND pg_visible_in_snapshot(xid, pg_current_snapshot())",
            [on.nas.pk],
        )
        assert cursor.fetchone()[0] == 0, "not yet committed: only a later poll may take it"
