"""What is done to routers, pools, the cause table and the blocking page. Knows no session and no secret.

Whatever changes a router's answers tells it by the event PolicyChanged; the access room publishes it to radiusd.
"""

from demarc.network.actions.answers import reset_answers, save_answers
from demarc.network.actions.blocking_page import save_blocking_page
from demarc.network.actions.causes import set_cause_rule, set_router_cause, set_up_partner
from demarc.network.actions.own_page import remove_own_page, save_own_page
from demarc.network.actions.pools import create_pool, update_pool
from demarc.network.actions.routers import create_router, create_site, update_router

__all__ = [
    "create_pool",
    "create_router",
    "create_site",
    "remove_own_page",
    "reset_answers",
    "save_answers",
    "save_blocking_page",
    "save_own_page",
    "set_cause_rule",
    "set_router_cause",
    "set_up_partner",
    "update_pool",
    "update_router",
]
