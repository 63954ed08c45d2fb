"""Which jobs read which event, which rooms show what on whose page, and the menu.

The tables by which news and words travel against the arrows.
"""

from demarc.ui.menu import Entry

READERS: dict[str, tuple[str, ...]] = {
    "AccessChanged": ("access.sync_services",),
    "ServiceChanged": ("access.sync_services",),
    "PolicyChanged": ("access.publish_policy",),
    "RetryDue": ("billing.retry_accounts",),
}

PANELS: dict[str, tuple[tuple[str, str], ...]] = {
    "customer.actions": (("customers.edit", "demarc.customers.web.customer_actions"),),
}

MENU: tuple[Entry, ...] = (
    Entry("Dashboard", "dashboard", "dashboard.see", "dashboard"),
    Entry("Customers", "customers", "customers.see", "users"),
    Entry("Settings", "settings", "settings.see", "settings"),
)

TABS: dict[str, tuple[Entry, ...]] = {"customer": (Entry("Overview", "customer", "customers.see"),)}
