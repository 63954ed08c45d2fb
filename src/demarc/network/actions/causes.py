"""The cause table: why somebody is not simply let in, and what he gets instead. Knows no session."""

import re
from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction

from demarc.base import log
from demarc.base.actors import Actor
from demarc.base.events import emit
from demarc.base.models import Partner
from demarc.core.access import Cause, CausePreset
from demarc.core.addressing import usable
from demarc.core.errors import Refused
from demarc.network.models import CauseAnswer, CauseRule, Pool, PoolKind, Router, RouterCause
from demarc.network.queries import RESTORE_LIST, overlapping_pool, preset_rows

LIST_NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}")


class CauseFacts(TypedDict, total=False):
    """What may be changed in a row of the cause table."""

    list_name: str
    pool_id: int | None
    page_port: int


@transaction.atomic
def set_up_partner(partner_id: int, *, preset: str = "demarc", by: Actor, at: datetime) -> list[CauseRule]:
    """Fill the cause table by a preset ("demarc" or "splynx", see `queries.preset_rows`), or switch it to another one.

    Missing reject pools are made where their addresses are free; otherwise the cause goes without one, and is answered
    with its list. Pools chosen before are kept. Refused: no such preset.
    """
    rows = preset_rows(preset)
    Partner.objects.select_for_update().get(pk=partner_id)
    present = {rule.cause: rule for rule in CauseRule.objects.filter(partner_id=partner_id)}
    rules = [_follow_preset(partner_id, present.get(row.cause), row) for row in rows]
    log.record("cause_table_set", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, preset=preset)
    emit("PolicyChanged", partners=[partner_id])
    return rules


def _follow_preset(partner_id: int, rule: CauseRule | None, row: CausePreset) -> CauseRule:
    if rule is None:
        rule = CauseRule(partner_id=partner_id, cause=row.cause, pool=_reject_pool(partner_id, row))
    rule.list_name, rule.page_port = row.list_name, row.page_port
    rule.save()
    return rule


def _reject_pool(partner_id: int, row: CausePreset) -> Pool | None:
    name_taken = Pool.objects.filter(partner_id=partner_id, name=row.list_name).exists()
    if name_taken or overlapping_pool(row.network, 0):
        return None
    hosts = usable(row.network)
    return Pool.objects.create(
        partner_id=partner_id,
        name=row.list_name,
        kind=PoolKind.REJECT,
        network=row.network,
        first=str(hosts.first),
        last=str(hosts.last),
    )


@transaction.atomic
def set_cause_rule(partner_id: int, cause: int, *, by: Actor, at: datetime, **changes: Unpack[CauseFacts]) -> CauseRule:
    """Change a row of the cause table. Refused: a name a router may not take, a list that another cause uses with
    another page, a pool that is not a reject pool of the partner, a port out of range."""
    rule = CauseRule.objects.select_for_update().filter(partner_id=partner_id, cause=cause).first()
    if rule is None:
        raise Refused("The cause table has no such row; set up the partner first.", field="cause")
    before = log.snapshot(rule)
    rule.list_name = changes.get("list_name", rule.list_name)
    rule.page_port = changes.get("page_port", rule.page_port)
    rule.pool_id = changes.get("pool_id", rule.pool_id)
    _check_rule(rule)
    rule.save()
    told = {"cause": cause, "changed": log.changes(before, rule)}
    log.record("cause_changed", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, **told)
    emit("PolicyChanged", partners=[partner_id])
    return rule


def _check_rule(rule: CauseRule) -> None:
    if not LIST_NAME.fullmatch(rule.list_name) or rule.list_name == RESTORE_LIST:
        raise Refused(
            f"A list is named with letters, digits, dots, dashes and underlines, and not {RESTORE_LIST}.",
            field="list_name",
        )
    if not 1 <= rule.page_port <= 65535:
        raise Refused("A port is a number from 1 to 65535.", field="page_port")
    if (
        rule.pool_id
        and not Pool.objects.filter(pk=rule.pool_id, partner_id=rule.partner_id, kind=PoolKind.REJECT).exists()
    ):
        raise Refused("Choose one of the partner's reject pools.", field="pool_id")
    others = CauseRule.objects.filter(partner_id=rule.partner_id, list_name=rule.list_name).exclude(pk=rule.pk)
    if other := others.exclude(page_port=rule.page_port).first():
        raise Refused(
            f"Cause {other.cause} uses the list {rule.list_name} with page {other.page_port}: "
            "a list can lead to one page only.",
            field="list_name",
        )


@transaction.atomic
def set_router_cause(router_id: int, cause: int, *, answer: str | None, by: Actor, at: datetime) -> None:
    """Choose what a router's customers get for a cause; None goes back to the default. Refused: no such answer."""
    if answer is not None and answer not in CauseAnswer.values:
        raise Refused(f"Choose one of {', '.join(CauseAnswer.values)}.", field="answer")
    if cause not in list(Cause):
        raise Refused("Causes are numbered 0 to 4.", field="cause")
    router = Router.objects.select_for_update().get(pk=router_id)
    before = RouterCause.objects.filter(router=router, cause=cause).values_list("answer", flat=True).first()
    if answer is None:
        RouterCause.objects.filter(router=router, cause=cause).delete()
    else:
        RouterCause.objects.update_or_create(router=router, cause=cause, defaults={"answer": answer})
    log.record(
        "answer_set",
        by=by,
        at=at,
        subject=("router", router_id),
        partner_id=router.partner_id,
        cause=cause,
        changed={"answer": [before, answer]},
    )
    emit("PolicyChanged", partners=[router.partner_id])
