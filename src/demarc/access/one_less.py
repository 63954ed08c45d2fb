"""Whether the pools bear the loss of one concentrator: who was on it comes back through the others. Reads only.

A set is the routers of a provider at one site (or without one) whose customers get addresses from our pools. When one
dies, whoever had an address of its own pools needs one of the others' or of those that all routers share.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from demarc.access.models import PoolPeak
from demarc.access.queries import PoolUse, pool_use
from demarc.network.models import Pool, PoolKind, Router
from demarc.ui import formats

PEAK_DAYS = 30
"""How long a peak is remembered: a month has its busiest evening."""

NOUNS = {
    PoolKind.DYNAMIC: "address",
    PoolKind.PREFIX: "IPv6 prefix of the line",
    PoolKind.DELEGATED: "IPv6 prefix for the customer's router",
}
NOTHING = PoolUse(0, 0, 0)


class ConcentratorSet(NamedTuple):
    """Routers that can take over from one another, with one kind of pools: each one's own, and what all share."""

    partner_id: int
    site_id: int | None
    kind: PoolKind
    own: dict[Router, PoolUse]
    shared: PoolUse

    @property
    def used(self) -> int:
        return sum(one.used for one in (*self.own.values(), self.shared))

    @property
    def size(self) -> int:
        return sum(one.size for one in (*self.own.values(), self.shared))


class Peak(NamedTuple):
    """The most that was in use of a set's pools at one time."""

    used: int
    at: datetime


class Loss(NamedTuple):
    """One router dies: `sessions` hold addresses of its own pools, `free` are there elsewhere, now. `missing`: for how
    many there is none; `missing_at_peak`: how many that would have been when most was in use. `used`: of the set's
    pools, now."""

    router: Router
    kind: PoolKind
    others: int
    sessions: int
    free: int
    used: int
    peak: Peak
    missing_at_peak: int

    @property
    def missing(self) -> int:
        return max(self.sessions - self.free, 0)

    @property
    def worrying(self) -> bool:
        """Whether other routers are there, and have too little."""
        return self.others > 0 and max(self.missing, self.missing_at_peak) > 0

    @property
    def words(self) -> str:
        """The same as a plain sentence or two."""
        who, sessions = f"If {self.router.name} dies", formats.plural(self.sessions, "session")
        if not self.others:
            return f"{who}, there is no other router at its place to take over its {sessions}."
        noun = NOUNS[self.kind]
        have = "the other router has" if self.others == 1 else f"the other {self.others} routers have"
        there = f"{have} {formats.number(self.free)} free"
        if self.missing:
            find = "finds" if self.missing == 1 else "find"
            now = f"{formats.number(self.missing)} of its {sessions} {find} no {noun}: {there}."
        else:
            now = f"each of its {sessions} finds an {noun}: {there}."
        return f"{who}, {now} {self._at_the_peak()}"

    def _at_the_peak(self) -> str:
        if self.peak.used <= self.used:
            return f"Never were more in use within {PEAK_DAYS} days."
        when = f"At the peak ({formats.short_moment(self.peak.at)}, {formats.number(self.peak.used)} in use)"
        if self.missing_at_peak:
            return f"{when} {formats.number(self.missing_at_peak)} would have found none."
        return f"{when} it would have been enough, too."


def concentrator_sets(partner_ids: Sequence[int] | None) -> list[ConcentratorSet]:
    """The sets of these partners (None: all), with what is in use now."""
    routers = Router.objects.filter(nas__framed_pool="").select_related("site").order_by("name", "id")
    pools = Pool.objects.filter(kind__in=NOUNS)
    if partner_ids is not None:
        routers, pools = routers.filter(partner_id__in=partner_ids), pools.filter(partner_id__in=partner_ids)
    in_use = pool_use([pool.pk for pool in pools])
    held: dict[tuple[int, int | None, str], PoolUse] = defaultdict(lambda: NOTHING)
    for pool in pools:
        key = (pool.partner_id, pool.router_id, pool.kind)
        held[key] = PoolUse(*map(sum, zip(held[key], in_use[pool.pk], strict=True)))
    members: dict[tuple[int, int | None], list[Router]] = defaultdict(list)
    for router in routers:
        members[router.partner_id, router.site_id].append(router)
    found = []
    for (partner_id, site_id), some in members.items():
        for kind in NOUNS:
            own = {router: held[partner_id, router.pk, kind] for router in some}
            if any(use.size for use in own.values()):
                found.append(ConcentratorSet(partner_id, site_id, kind, own, held[partner_id, None, kind]))
    return found


def losses(partner_ids: Sequence[int] | None, *, at: datetime) -> list[Loss]:
    """What the death of each concentrator that has pools of its own would mean, the worst first."""
    sets = concentrator_sets(partner_ids)
    peaks = _peaks(sets, at)
    found = [_loss(one, router, peak) for one, peak in zip(sets, peaks, strict=True) for router in one.own]
    told = [loss for loss in found if loss is not None]
    return sorted(told, key=lambda loss: (-loss.missing, -loss.missing_at_peak, loss.router.name, loss.kind))


def _loss(one: ConcentratorSet, router: Router, peak: Peak) -> Loss | None:
    own = one.own[router]
    if not own.size:
        return None
    left = one.size - own.size
    return Loss(
        router=router,
        kind=one.kind,
        others=len(one.own) - 1,
        sessions=own.used,
        free=max(left - (one.used - own.used), 0),
        used=one.used,
        peak=peak,
        missing_at_peak=max(peak.used - left, 0),
    )


def _peaks(sets: Iterable[ConcentratorSet], at: datetime) -> list[Peak]:
    """The peak of each set; where nothing higher is remembered, that is now."""
    since = (at - timedelta(days=PEAK_DAYS)).date()
    highest: dict[tuple[int, int | None, str], Peak] = {}
    for row in PoolPeak.objects.filter(day__gte=since).order_by("used", "at"):
        highest[row.partner_id, row.site_id, row.kind] = Peak(row.used, row.at)
    now = [(one, Peak(one.used, at)) for one in sets]
    return [max(peak, highest.get((one.partner_id, one.site_id, one.kind), peak)) for one, peak in now]
