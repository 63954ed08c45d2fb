"""What radiusd must know of a partner beside his logins: the cause table, and pools cut into blocks to lease."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Network
from typing import Any

from django.db import transaction

from demarc.access.feed import tell_radius
from demarc.access.models import FairUseAnswer, Nas, Policy, PoolBlock
from demarc.base import log
from demarc.base.actors import SYSTEM, Actor
from demarc.base.models import Partner
from demarc.core.addressing import Span, blocks, prefixes
from demarc.network.actions.answers import TEMPLATES
from demarc.network.models import LEASED, PREFIX_KINDS, Pool
from demarc.network.queries import RESTORE_LIST, cause_rules, nas_answers

BLOCKED_SESSION_TIMEOUT_S = 300
"""A blocked session asks again after this time, so that who has paid is online even if every CoA was lost."""

BLOCK_ADDRESSES = 64
BLOCKS_WANTED = 16
BLOCKS_MAX = 4096


@transaction.atomic
def publish_policy(partner_id: int, *, by: Actor = SYSTEM, at: datetime) -> Policy:
    """Write the partner's Policy and lay out his new pools, and let radiusd and the pages read them again.

    The body: {"partner_id", "name", "causes": {"0": {"list", "pool_id" or null, "page_port"}, ... "4"},
    "blocked_session_timeout_s", "restore_list", "answers": {make: {"block", "second", "online", "blocked", "coa_block",
    "coa_restore", "coa_fair_use", "coa_fair_restore", "fair_use" (only where it is set)}}}; `restore_list` is the list
    that means "not blocked", since a CoA can only put an address into a list. Refuses nothing.
    """
    partner = Partner.objects.select_for_update().get(pk=partner_id)
    policy, _ = Policy.objects.update_or_create(partner=partner, defaults={"body": _body(partner)})
    laid_out = _lay_out_pools(partner_id)
    log.record(
        "policy_published", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, new_pools=laid_out
    )
    tell_radius("policy", [partner_id])
    tell_radius("pool", list(Pool.objects.filter(partner_id=partner_id).values_list("pk", flat=True)))
    tell_radius("nas", list(Nas.objects.filter(partner_id=partner_id).values_list("pk", flat=True)))
    return policy


def _body(partner: Partner) -> dict[str, Any]:
    choices = FairUseAnswer.objects.filter(partner=partner).values_list("nas_type", "block")
    fair_use = {make: {"fair_use": block} for make, block in choices}
    return {
        "partner_id": partner.pk,
        "name": partner.name,
        "causes": {
            str(rule.cause): {"list": rule.list_name, "pool_id": rule.pool_id, "page_port": rule.page_port}
            for rule in cause_rules(partner.pk)
        },
        "blocked_session_timeout_s": BLOCKED_SESSION_TIMEOUT_S,
        "restore_list": RESTORE_LIST,
        "answers": {
            make: {name: getattr(answers, name) for name in ("block", "second", *TEMPLATES)} | fair_use.get(make, {})
            for make, answers in nas_answers(partner.pk).items()
        },
    }


def _lay_out_pools(partner_id: int) -> list[int]:
    """Cut the pools that have no blocks yet; radiusd leases by claiming blocks. Their ids."""
    new = Pool.objects.filter(partner_id=partner_id, kind__in=LEASED, blocks=None)
    laid_out = list(new.order_by("id"))
    for pool in laid_out:
        cut = _cut_prefixes(pool) if pool.kind in PREFIX_KINDS else _cut_addresses(pool)
        PoolBlock.objects.bulk_create(
            [PoolBlock(pool=pool, first=first, last=last, size=size) for first, last, size in cut], batch_size=1000
        )
    return [pool.pk for pool in laid_out]


def _cut_addresses(pool: Pool) -> list[tuple[str, str, int]]:
    span = Span(IPv4Address(pool.first), IPv4Address(pool.last))
    return [(str(block.first), str(block.last), len(block)) for block in blocks(span, _block_size(len(span)))]


def _cut_prefixes(pool: Pool) -> list[tuple[str, str, int]]:
    """Each block from its first prefix's address to its last one's."""
    span = prefixes(IPv6Network(pool.network), pool.prefix_length)
    return [
        (str(block.first.network_address), str(block.last.network_address), len(block))
        for block in blocks(span, _block_size(len(span)))
    ]


def _block_size(addresses: int) -> int:
    """How many addresses a block has: enough blocks for several processes in a small pool, not too many in a large."""
    wanted = min(BLOCK_ADDRESSES, max(1, addresses // BLOCKS_WANTED))
    return max(wanted, -(-addresses // BLOCKS_MAX))
