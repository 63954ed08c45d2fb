"""What is billed or charged already by a plan's list price, from a day on: it stays so when the price is changed."""

from demarc.base import sql
from demarc.plans.models import PlanPrice
from demarc.plans.queries import Billed

# Of services that ever had the plan at its list price: their index entries are looked up one by one.
BESIDE = """
WITH span AS (
    SELECT %(since)s::date AS first, coalesce(min(valid_from), 'infinity'::date) - 1 AS last
    FROM plans_planprice WHERE plan_id = %(plan)s AND valid_from > %(since)s
), held AS (
    SELECT DISTINCT service_id FROM plans_servicefact WHERE plan_id = %(plan)s AND price_override IS NULL
), touched AS (
    SELECT c.service_id, least(c.last_day, span.last) - greatest(c.first_day, span.first) + 1 AS days
    FROM span CROSS JOIN held h JOIN billing_cover c ON c.replaced_by_id IS NULL
        AND box(point(h.service_id, span.first - DATE '2000-01-01'), point(h.service_id, 'Infinity'))
            && box(point(c.service_id, c.first_day - DATE '2000-01-01'),
                point(c.service_id, c.last_day - DATE '2000-01-01'))
    WHERE c.plan_id = %(plan)s AND NOT c.own AND c.price <> %(amount)s AND c.first_day <= span.last
    UNION ALL
    SELECT t.service_id, 1
    FROM span CROSS JOIN held h JOIN billing_transfer t ON t.service_id = h.service_id AND t.kind = 'charge'
        AND t.day BETWEEN span.first AND span.last
    JOIN plans_planprice p ON p.id = t.price_fact_id
    WHERE p.plan_id = %(plan)s AND p.amount <> %(amount)s
)
SELECT count(DISTINCT service_id), coalesce(sum(days), 0)::bigint FROM touched
"""


def billed_beside(price: PlanPrice) -> Billed:
    """The services, and their days, that were billed or charged at another list price for days on which this one
    holds."""
    rows = sql.rows(BESIDE, plan=price.plan_id, since=price.valid_from, amount=price.amount)
    return Billed(*rows[0])
