"""Which jobs read which event, which rooms show what on whose page, and the menu.

The tables by which news and words travel against the arrows.
"""

from demarc.ui.menu import Entry

READERS: dict[str, tuple[str, ...]] = {
    "AccessChanged": ("access.sync_services", "messages.note_access"),
    "PaymentsReceived": ("messages.note_payments",),
    "MessagesWaiting": ("messages.send_soon",),
    "ServiceChanged": ("access.sync_services",),
    "PolicyChanged": ("access.publish_policy",),
    "RetryDue": ("billing.retry_accounts",),
    "HoldingChanged": ("billing.correct_services",),
    "RunConfirmed": ("billing.work_run",),
    "DaysWanted": ("billing.open_days_of",),
    "PreviewWanted": ("billing.preview_run",),
    "DocumentsIssued": ("messages.note_documents",),
    "Reminded": ("messages.note_reminders",),
    "WaveChanged": ("billing.work_wave",),
    "StaffLetterWanted": ("messages.write_to_staff",),
}

ATTACHMENTS: dict[str, str] = {"document": "demarc.messages.papers.document"}
"""Kind of attachment -> the function that renders it (messages.attachments)."""

MESSAGE_CHECKS: dict[str, str] = {}
"""Kind of message -> the function that says why it is no longer true (messages.checks)."""

BILLING = "demarc.billing.web_parts"
MESSAGES = "demarc.messages.web_parts"
DUNNING = "demarc.billing.web_dunning_parts"
PLANS, NETWORK, ACCESS = "demarc.plans.web_parts", "demarc.network.web_blocking", "demarc.access.web_parts"

PANELS: dict[str, tuple[tuple[str, str], ...]] = {
    "dashboard.facts": (
        ("sessions.see", f"{ACCESS}.dashboard_fact"),
        ("customers.see", f"{BILLING}.blocked_fact"),
        ("payments.see", f"{BILLING}.received_fact"),
    ),
    "dashboard.attention": (
        ("routers.edit", f"{ACCESS}.first_steps"),
        ("routers.see", f"{ACCESS}.dashboard_attention"),
        ("runs.see", "demarc.billing.web_runs.due_notices"),
        ("accounts.see", f"{BILLING}.dashboard_attention"),
        ("messages.see", f"{MESSAGES}.dashboard_attention"),
        ("dunning.see", f"{DUNNING}.dashboard_attention"),
    ),
    "customers.columns": (
        ("plans.see", f"{PLANS}.held_columns"),
        ("accounts.see", f"{BILLING}.balance_columns"),
        ("sessions.see", f"{ACCESS}.online_columns"),
    ),
    "operations.search": (("customers.see", "demarc.customers.web.customers_named"),),
    "cashdesk.search": (("cashdesk.edit", f"{ACCESS}.customers_by_login"),),
    "search": (
        ("customers.see", "demarc.customers.web_search.customers_found"),
        ("services.see", "demarc.access.web_search.logins_found"),
        ("sessions.see", "demarc.access.web_search.sessions_found"),
        ("documents.see", "demarc.billing.web_search.documents_found"),
    ),
    "customers.bulk": (
        ("blocks.edit", "demarc.plans.web_bulk.customer_deeds"),
        ("messages.edit", "demarc.messages.web_bulk.customer_deeds"),
    ),
    "customers.search": (("customers.see", f"{ACCESS}.customers_by_login"),),
    "customer.facts": (
        ("accounts.see", f"{BILLING}.money_fact"),
        ("sessions.see", f"{ACCESS}.online_fact"),
        ("plans.see", f"{PLANS}.held_fact"),
        ("payments.see", f"{BILLING}.payment_fact"),
    ),
    "customer.attention": (
        ("accounts.see", f"{BILLING}.customer_attention"),
        ("customers.see", f"{ACCESS}.customer_attention"),
    ),
    "customer.overview": (
        ("dunning.see", f"{DUNNING}.why_panel"),
        ("sessions.see", f"{ACCESS}.live_panel"),
        ("services.see", f"{PLANS}.services_panel"),
        ("services.see", f"{PLANS}.planned_of_customer"),
        ("messages.see", f"{MESSAGES}.customer_panel"),
    ),
    "customer.actions": (
        ("cashdesk.edit", f"{BILLING}.pay_action"),
        ("promises.edit", f"{DUNNING}.promise_action"),
        ("services.edit", f"{PLANS}.add_action"),
        ("blocks.edit", f"{PLANS}.block_action"),
        ("corrections.edit", f"{BILLING}.correct_action"),
        ("messages.edit", f"{MESSAGES}.write_action"),
        ("customers.edit", "demarc.customers.web.customer_actions"),
        ("log.see", "demarc.customers.web.history_action"),
    ),
    "document.actions": (("promises.edit", f"{DUNNING}.dispute_action"),),
    "customer.block_lines": (("blocks.edit", f"{ACCESS}.block_lines"),),
    "plan.panels": (("plans.see", "demarc.access.web_fair_use.plan_panel"),),
    "service.panels": (
        ("services.see", f"{PLANS}.planned_panel"),
        ("services.see", f"{ACCESS}.logins_panel"),
        ("services.see", "demarc.access.web_fair_use.service_panel"),
        ("accounts.see", "demarc.billing.web_services.billing_panel"),
    ),
    "services.restraints": (("services.see", "demarc.access.web_fair_use.restraints"),),
    "price.billed": (("plans.edit", "demarc.billing.queries.billed.billed_beside"),),
    "service.billed": (("services.edit", "demarc.billing.web_services.billed_through"),),
    "service.change": (("services.edit", "demarc.billing.web_services.change_lines"),),
    "service.actions": (
        ("services.edit", f"{BILLING}.activate_action"),
        ("services.edit", f"{ACCESS}.login_action"),
        ("services.edit", f"{PLANS}.change_plan_action"),
        ("terms.edit", "demarc.billing.web_services.price_action"),
        ("services.edit", f"{PLANS}.pause_action"),
        ("services.edit", f"{PLANS}.stop_action"),
        ("services.edit", f"{PLANS}.end_action"),
    ),
    "sessions.columns": (("sessions.edit", "demarc.access.web.disconnect_columns"),),
    "routers.columns": (("routers.see", f"{ACCESS}.router_columns"),),
    "router.facts": (("routers.see", f"{ACCESS}.router_facts"),),
    "router.panels": (("routers.see", f"{ACCESS}.radius_panel"),),
    "pools.notices": (("pools.see", f"{ACCESS}.pool_losses"),),
    "pools.columns": (("pools.see", f"{ACCESS}.pool_columns"),),
    "pool.facts": (("pools.see", f"{ACCESS}.pool_facts"),),
    "partner.settings": (
        ("settings.see", "demarc.billing.web_terms.calendar_panel"),
        ("settings.see", "demarc.plans.web.tax_panel"),
        ("settings.see", f"{DUNNING}.rules_panel"),
        ("blocking.see", f"{NETWORK}.causes_panel"),
        ("routers.see", "demarc.access.web_answers.answers_panel"),
        ("blocking.see", f"{NETWORK}.page_panel"),
        ("settings.see", f"{MESSAGES}.settings_panel"),
    ),
}

MENU: tuple[Entry, ...] = (
    Entry("Dashboard", "dashboard", "dashboard.see", "dashboard"),
    Entry("Customers", "customers", "customers.see", "users", under=("/services/", "/accounts/", "/logins/")),
    Entry("Sessions", "sessions", "sessions.see", "plug-connected"),
    Entry("RADIUS", "decisions", "sessions.see", "activity", under=("/radius/",)),
    Entry("Cashdesk", "cashdesk", "cashdesk.edit", "cash"),
    Entry("Documents", "documents", "documents.see", "file-text"),
    Entry("Runs", "runs", "runs.see", "calendar", under=("/tonight/",)),
    Entry("Payments", "payments", "payments.see", "receipt"),
    Entry("What if", "what_if", "accounts.edit", "adjustments"),
    Entry("Messages", "messages", "messages.see", "mail"),
    Entry("Blocking", "waves", "dunning.see", "ban", under=("/waves/", "/outages/")),
    Entry("Plans", "plans", "plans.see", "package"),
    Entry("Routers", "routers", "routers.see", "router"),
    Entry("Pools", "pools", "pools.see", "network", under=("/nat/",)),
    Entry("Settings", "settings", "settings.see", "settings"),
    Entry("Staff logins", "signing_in", "staff.see", "shield-lock"),
    Entry("Operations", "operations", "log.see", "list"),
    Entry("Roles", "roles", "staff.see", "lock"),
    Entry("API tokens", "tokens", "tokens.edit", "key"),
)

THINGS: dict[str, str] = {
    "customer": "customer",
    "document": "document",
    "login": "login",
    "operation": "operation",
    "partner": "partner",
    "plan": "plan",
    "pool": "pool",
    "router": "router",
    "service": "service",
}
"""Kind of thing in the operation log -> the page that shows it."""

TABS: dict[str, tuple[Entry, ...]] = {
    "customer": (
        Entry("Overview", "customer", "customers.see"),
        Entry("Services", "customer_services", "services.see"),
        Entry("Money", "customer_money", "accounts.see"),
        Entry("Sessions", "customer_sessions", "sessions.see"),
    )
}
