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
    "customers.columns": (("plans.see", "demarc.plans.web_parts.held_column"),),
    "customer.facts": (("plans.see", "demarc.plans.web_parts.held_fact"),),
    "customer.overview": (("customers.see", "demarc.plans.web_parts.services_panel"),),
    "customer.actions": (
        ("customers.edit", "demarc.plans.web_parts.add_action"),
        ("customers.edit", "demarc.plans.web_parts.block_action"),
        ("customers.edit", "demarc.customers.web.customer_actions"),
    ),
    "service.actions": (
        ("customers.edit", "demarc.plans.web_parts.change_plan_action"),
        ("customers.edit", "demarc.plans.web_parts.pause_action"),
        ("customers.edit", "demarc.plans.web_parts.stop_action"),
        ("customers.edit", "demarc.plans.web_parts.end_action"),
    ),
    "partner.settings": (
        ("settings.see", "demarc.plans.web.tax_panel"),
        ("settings.see", "demarc.network.web_blocking.causes_panel"),
        ("settings.see", "demarc.network.web_blocking.page_panel"),
    ),
}

MENU: tuple[Entry, ...] = (
    Entry("Dashboard", "dashboard", "dashboard.see", "dashboard"),
    Entry("Customers", "customers", "customers.see", "users", under=("/services/", "/accounts/")),
    Entry("Plans", "plans", "plans.see", "package"),
    Entry("Routers", "routers", "network.see", "router"),
    Entry("Pools", "pools", "network.see", "network"),
    Entry("Settings", "settings", "settings.see", "settings"),
)

TABS: dict[str, tuple[Entry, ...]] = {
    "customer": (
        Entry("Overview", "customer", "customers.see"),
        Entry("Services", "customer_services", "customers.see"),
    )
}
