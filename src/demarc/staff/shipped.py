"""The roles that Demarc ships with, as they are at first and can be again. Changed ones live in the table of roles."""

from dataclasses import dataclass

from demarc.staff.permissions import ALL

SUPER_ADMINISTRATOR = "Super administrator"


@dataclass(frozen=True, slots=True)
class Shipped:
    """What a role may do; `bound`: whoever holds it must work for named providers only."""

    words: tuple[str, ...]
    bound: bool = False


_DESK = ("dashboard.see", "customers.edit", "services.edit", "messages.edit", "plans.see", "exports.see")
_MONEY = (
    "accounts.edit",
    "terms.edit",
    "payments.edit",
    "corrections.edit",
    "documents.edit",
    "runs.edit",
    "dunning.edit",
    "promises.edit",
)
_NETWORK = ("routers.edit", "pools.edit", "blocking.edit", "sessions.edit", "orders.edit", "trace.see")
_ALL_BUT_STAFF = (*_DESK, *_MONEY, *_NETWORK, "identity.see", "blocks.edit", "plans.edit", "settings.edit")

SHIPPED: dict[str, Shipped] = {
    SUPER_ADMINISTRATOR: Shipped((ALL,)),
    "Administrator": Shipped((*_ALL_BUT_STAFF, "staff.see", "log.see")),
    "Manager": Shipped(
        (
            *_DESK,
            *_MONEY,
            "identity.see",
            "blocks.edit",
            "plans.edit",
            "routers.see",
            "pools.see",
            "blocking.see",
            "sessions.edit",
            "orders.edit",
            "trace.see",
            "settings.see",
        )
    ),
    "Financial manager": Shipped(
        (
            "dashboard.see",
            "customers.see",
            "contacts.see",
            "identity.see",
            "services.see",
            "accounts.edit",
            "payments.edit",
            "corrections.edit",
            "documents.edit",
            "runs.edit",
            "dunning.edit",
            "promises.edit",
            "plans.see",
            "messages.edit",
            "settings.see",
            "blocking.see",
            "exports.see",
        )
    ),
    "Engineer": Shipped(
        (
            "dashboard.see",
            "customers.see",
            "contacts.see",
            "services.see",
            "plans.see",
            *_NETWORK,
            "settings.see",
            "exports.see",
        )
    ),
    "Technician": Shipped(
        (
            "dashboard.see",
            "customers.see",
            "contacts.see",
            "services.see",
            "plans.see",
            "routers.see",
            "pools.see",
            "blocking.see",
            "sessions.edit",
            "orders.edit",
            "trace.see",
            "exports.see",
        )
    ),
    "Customer creator": Shipped(("customers.edit", "services.edit", "plans.see")),
    "Cashier": Shipped(("cashdesk.edit",)),
    "Reseller": Shipped(
        (
            "dashboard.see",
            "customers.edit",
            "services.edit",
            "accounts.see",
            "payments.edit",
            "documents.see",
            "dunning.see",
            "promises.edit",
            "messages.edit",
            "plans.see",
            "routers.see",
            "sessions.edit",
            "exports.see",
        ),
        bound=True,
    ),
    "API full": Shipped(_ALL_BUT_STAFF),
}
