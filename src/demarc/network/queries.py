"""Reads of the network room: routers, pools, and what each router answers for each cause."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet

from demarc.core.access import BLOCKS, DEFAULT_ANSWERS, PRESETS, Cause, CausePreset
from demarc.core.errors import Refused
from demarc.network.models import CauseAnswer, CauseRule, NasAnswers, NasType, Pool, Router, RouterCause
from demarc.wire.radius.makes import SHIPPED, Make

RESTORE_LIST = "Demarc_active"
"""A CoA cannot take an address out of a list, only put it into another: this one means "not blocked"."""


def routers(partner_ids: Sequence[int] | None) -> QuerySet[Router]:
    """The routers of these partners (None: all), by name."""
    found = Router.objects.select_related("partner", "site").order_by("name", "id")
    return found if partner_ids is None else found.filter(partner_id__in=partner_ids)


def pools(partner_ids: Sequence[int] | None) -> QuerySet[Pool]:
    """The pools of these partners (None: all), by name."""
    found = Pool.objects.select_related("partner", "router").order_by("name", "id")
    return found if partner_ids is None else found.filter(partner_id__in=partner_ids)


def cause_rules(partner_id: int) -> list[CauseRule]:
    """The partner's table, cause 0 first. Empty until network.actions.set_up_partner."""
    return list(CauseRule.objects.filter(partner_id=partner_id).select_related("pool").order_by("cause"))


def nas_answers(partner_id: int) -> dict[str, NasAnswers]:
    """What routers of each make are told, as set, else as shipped (then without an id)."""
    found = {row.nas_type: row for row in NasAnswers.objects.filter(partner_id=partner_id)}
    return {make: found.get(make) or shipped_answers(partner_id, make) for make in NasType.values}


def shipped_answers(partner_id: int, nas_type: str) -> NasAnswers:
    """What a make is told unless somebody changed it. Only a MikroTik knows address lists: customers of others get an
    address of the reject pool when they are blocked."""
    block = CauseAnswer.LIST if nas_type == NasType.MIKROTIK else CauseAnswer.POOL
    return NasAnswers(partner_id=partner_id, nas_type=nas_type, block=block, **SHIPPED[Make(nas_type)]._asdict())


def router_answers(partner_ids: Sequence[int]) -> dict[int, dict[int, CauseAnswer]]:
    """Router id -> cause -> answer, for all routers of the partners: as set for the router, else for its make, else
    core.access.DEFAULT_ANSWERS; and the list where the reject pool is asked for but the cause has none."""
    with_pool = {
        (rule.partner_id, rule.cause)
        for rule in CauseRule.objects.filter(partner_id__in=partner_ids, pool__isnull=False)
    }
    set_by_hand = {
        (row.router_id, Cause(row.cause)): CauseAnswer(row.answer)
        for row in RouterCause.objects.filter(router__partner_id__in=partner_ids)
    }
    blocks = {
        (partner_id, make): answers.block
        for partner_id in partner_ids
        for make, answers in nas_answers(partner_id).items()
    }
    return {
        router.pk: {
            cause: _possible(
                set_by_hand.get((router.pk, cause)) or _usual(cause, blocks[router.partner_id, router.nas_type]),
                (router.partner_id, cause) in with_pool,
            )
            for cause in Cause
        }
        for router in Router.objects.filter(partner_id__in=partner_ids)
    }


def _usual(cause: Cause, block: str) -> CauseAnswer:
    return CauseAnswer(block if cause in BLOCKS else DEFAULT_ANSWERS[cause].value)


class CutInstead(NamedTuple):
    """The routers whose make has no CoA for a block, and for lifting it; the same for a block by fair use, whose own
    CoA goes before the other."""

    blocks: list[int]
    restores: list[int]
    fair_blocks: list[int]
    fair_restores: list[int]


def cut_instead(partner_ids: Sequence[int]) -> CutInstead:
    """Which routers of these partners cut a session where others are told by CoA."""
    answers = {partner_id: nas_answers(partner_id) for partner_id in partner_ids}
    routers = [(one.pk, answers[one.partner_id][one.nas_type]) for one in Router.objects.filter(partner__in=answers)]
    return CutInstead(
        blocks=[key for key, one in routers if not one.coa_block.strip()],
        restores=[key for key, one in routers if not one.coa_restore.strip()],
        fair_blocks=[key for key, one in routers if not (one.coa_fair_use or one.coa_block).strip()],
        fair_restores=[key for key, one in routers if not (one.coa_fair_restore or one.coa_restore).strip()],
    )


def _possible(answer: CauseAnswer, has_pool: bool) -> CauseAnswer:
    return CauseAnswer.LIST if answer == CauseAnswer.POOL and not has_pool else answer


def overlapping_pool(network: IPv4Network | IPv6Network, vrf: int) -> Pool | None:
    """A pool, of whatever partner, that shares an address with `network` in this VRF."""
    taken = Pool.objects.filter(vrf=vrf).select_related("partner").order_by("id")
    alike = (pool for pool in taken if pool.network.version == network.version)
    return next((pool for pool in alike if pool.network.overlaps(network)), None)


def own_page_folder(place: int) -> Path:
    """Where the page of the n-th port lies. Refused: there is no such port."""
    ports = settings.CONFIG.page_ports
    if not 1 <= place <= len(ports):
        raise Refused(f"Choose a page from 1 to {len(ports)}.", field="place", code="out_of_range")
    folder: Path = settings.CONFIG.data / "pages" / str(place)
    return folder


def preset_rows(preset: str) -> list[CausePreset]:
    """The rows of a preset, on the page ports of this installation, in their order. Refused: no such preset."""
    if preset not in PRESETS:
        raise Refused(f"There is no preset {preset!r}; choose one of {', '.join(PRESETS)}.", field="preset")
    rows, here = PRESETS[preset], settings.CONFIG.page_ports
    usual = sorted({row.page_port for row in rows})
    ports = {port: here[min(place, len(here) - 1)] for place, port in enumerate(usual)}
    return [replace(row, page_port=ports[row.page_port]) for row in rows]
