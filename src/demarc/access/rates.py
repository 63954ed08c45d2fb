"""A plan's speeds as a router reads them. Knows no service and no customer."""

from demarc.plans.models import Plan
from demarc.wire.radius import Burst, UpDown, rate_limit


def rate_text(plan: Plan) -> str:
    """Mikrotik-Rate-Limit for a plan: speed, burst, priority, and the share that contention guarantees."""
    speed = UpDown(plan.speed_up_kbps, plan.speed_down_kbps)
    burst = limit_at = None
    if plan.burst_percent:
        burst = Burst(
            limit=_share(speed, 100 + plan.burst_percent),
            threshold=_share(speed, plan.burst_threshold_percent),
            time_s=UpDown(plan.burst_time_s, plan.burst_time_s),
        )
    if plan.contention_ratio > 1:
        limit_at = UpDown(*(max(1, kbps // plan.contention_ratio) for kbps in speed))
    return rate_limit(speed.up, speed.down, burst, plan.priority, limit_at)


def slow_text(plan: Plan, up_kbps: int, down_kbps: int) -> str:
    """Mikrotik-Rate-Limit for a service of the plan whose volume is used up: no burst, nothing guaranteed."""
    return rate_limit(up_kbps, down_kbps, priority=plan.priority)


def _share(kbps: UpDown, percent: int) -> UpDown:
    """In bits per second."""
    return UpDown(kbps.up * 10 * percent, kbps.down * 10 * percent)
