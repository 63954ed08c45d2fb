"""What is done to NAS clients, logins and sessions. Sends nothing itself: radiusd reads what is written here."""

from demarc.access.actions.fair_use import drop_fair_use, measure_fair_use, set_fair_use, set_fair_use_block
from demarc.access.actions.moving import keep_decisions, save_moving_in, take_learned_passwords
from demarc.access.actions.nas import save_nas
from demarc.access.actions.nat import add_nat_range, end_nat_range
from demarc.access.actions.nodes import let_node_join
from demarc.access.actions.policy import publish_policy
from demarc.access.actions.pools import keep_peaks
from demarc.access.actions.sessions import (
    close_stale_sessions,
    make_session_months,
    prune_feed,
    request_disconnect,
    retry_intent,
)
from demarc.access.actions.subscribers import (
    NewSubscriber,
    change_password,
    create_subscriber,
    create_subscribers,
    set_addresses,
)
from demarc.access.actions.sync import repair_sessions, sync_services
from demarc.access.actions.trace import Question, trace_address

__all__ = [
    "NewSubscriber",
    "Question",
    "add_nat_range",
    "change_password",
    "close_stale_sessions",
    "create_subscriber",
    "create_subscribers",
    "drop_fair_use",
    "end_nat_range",
    "keep_decisions",
    "keep_peaks",
    "let_node_join",
    "make_session_months",
    "measure_fair_use",
    "prune_feed",
    "publish_policy",
    "repair_sessions",
    "request_disconnect",
    "retry_intent",
    "save_moving_in",
    "save_nas",
    "set_addresses",
    "set_fair_use",
    "set_fair_use_block",
    "sync_services",
    "take_learned_passwords",
    "trace_address",
]
