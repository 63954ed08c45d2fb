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
        ("money.see", f"{BILLING}.received_fact"),
    ),
    "dashboard.attention": (
        ("network.edit", f"{ACCESS}.first_steps"),
        ("network.see", f"{ACCESS}.dashboard_attention"),
        ("money.see", "demarc.billing.web_runs.due_notices"),
        ("money.see", f"{BILLING}.dashboard_attention"),
        ("messages.see", f"{MESSAGES}.dashboard_attention"),
        ("money.see", f"{DUNNING}.dashboard_attention"),
    ),
    "customers.columns": (
        ("plans.see", f"{PLANS}.held_columns"),
        ("money.see", f"{BILLING}.balance_columns"),
        ("sessions.see", f"{ACCESS}.online_columns"),
    ),
    "search": (
        ("customers.see", "demarc.customers.web_search.customers_found"),
        ("customers.see", "demarc.access.web_search.logins_found"),
        ("sessions.see", "demarc.access.web_search.sessions_found"),
        ("money.see", "demarc.billing.web_search.documents_found"),
    ),
    "customers.bulk": (
        ("customers.edit", "demarc.plans.web_bulk.customer_deeds"),
        ("messages.edit", "demarc.messages.web_bulk.customer_deeds"),
    ),
    "customers.search": (("customers.see", f"{ACCESS}.customers_by_login"),),
    "customer.facts": (
        ("money.see", f"{BILLING}.money_fact"),
        ("sessions.see", f"{ACCESS}.online_fact"),
        ("plans.see", f"{PLANS}.held_fact"),
        ("money.see", f"{BILLING}.payment_fact"),
    ),
    "customer.attention": (
        ("money.see", f"{BILLING}.customer_attention"),
        ("customers.see", f"{ACCESS}.customer_attention"),
    ),
    "customer.overview": (
        ("money.see", f"{DUNNING}.why_panel"),
        ("sessions.see", f"{ACCESS}.live_panel"),
        ("customers.see", f"{PLANS}.services_panel"),
        ("customers.see", f"{PLANS}.planned_of_customer"),
        ("messages.see", f"{MESSAGES}.customer_panel"),
    ),
    "customer.actions": (
        ("money.edit", f"{BILLING}.pay_action"),
        ("money.edit", f"{DUNNING}.promise_action"),
        ("customers.edit", f"{PLANS}.add_action"),
        ("customers.edit", f"{PLANS}.block_action"),
        ("money.edit", f"{BILLING}.correct_action"),
        ("messages.edit", f"{MESSAGES}.write_action"),
        ("customers.edit", "demarc.customers.web.customer_actions"),
    ),
    "document.actions": (("money.edit", f"{DUNNING}.dispute_action"),),
    "customer.block_lines": (("customers.edit", f"{ACCESS}.block_lines"),),
    "plan.panels": (("plans.see", "demarc.access.web_fair_use.plan_panel"),),
    "service.panels": (
        ("customers.see", f"{PLANS}.planned_panel"),
        ("customers.see", f"{ACCESS}.logins_panel"),
        ("customers.see", "demarc.access.web_fair_use.service_panel"),
        ("money.see", "demarc.billing.web_services.billing_panel"),
    ),
    "services.restraints": (("customers.see", "demarc.access.web_fair_use.restraints"),),
    "price.billed": (("plans.edit", "demarc.billing.queries.billed.billed_beside"),),
    "service.billed": (("customers.edit", "demarc.billing.web_services.billed_through"),),
    "service.change": (("customers.edit", "demarc.billing.web_services.change_lines"),),
    "service.actions": (
        ("customers.edit", f"{BILLING}.activate_action"),
        ("customers.edit", f"{ACCESS}.login_action"),
        ("customers.edit", f"{PLANS}.change_plan_action"),
        ("customers.edit", "demarc.billing.web_services.price_action"),
        ("customers.edit", f"{PLANS}.pause_action"),
        ("customers.edit", f"{PLANS}.stop_action"),
        ("customers.edit", f"{PLANS}.end_action"),
    ),
    "sessions.columns": (("sessions.edit", "demarc.access.web.disconnect_columns"),),
    "routers.columns": (("network.see", f"{ACCESS}.router_columns"),),
    "router.facts": (("network.see", f"{ACCESS}.router_facts"),),
    "router.panels": (("network.see", f"{ACCESS}.radius_panel"),),
    "pools.notices": (("network.see", f"{ACCESS}.pool_losses"),),
    "pools.columns": (("network.see", f"{ACCESS}.pool_columns"),),
    "pool.facts": (("network.see", f"{ACCESS}.pool_facts"),),
    "partner.settings": (
        ("settings.see", "demarc.billing.web_terms.calendar_panel"),
        ("settings.see", "demarc.plans.web.tax_panel"),
        ("settings.see", f"{DUNNING}.rules_panel"),
        ("settings.see", f"{NETWORK}.causes_panel"),
        ("network.see", "demarc.access.web_answers.answers_panel"),
        ("settings.see", f"{NETWORK}.page_panel"),
        ("settings.see", f"{MESSAGES}.settings_panel"),
    ),
}

MENU: tuple[Entry, ...] = (
    Entry("Dashboard", "dashboard", "dashboard.see", "dashboard"),
    Entry("Customers", "customers", "customers.see", "users", under=("/services/", "/accounts/", "/logins/")),
    Entry("Sessions", "sessions", "sessions.see", "plug-connected"),
    Entry("RADIUS", "decisions", "sessions.see", "activity", under=("/radius/",)),
    Entry("Documents", "documents", "money.see", "file-text"),
    Entry("Runs", "runs", "money.see", "calendar", under=("/tonight/",)),
    Entry("Payments", "payments", "money.see", "receipt"),
    Entry("What if", "what_if", "money.edit", "adjustments"),
    Entry("Messages", "messages", "messages.see", "mail"),
    Entry("Blocking", "waves", "money.see", "ban", under=("/waves/", "/outages/")),
    Entry("Plans", "plans", "plans.see", "package"),
    Entry("Routers", "routers", "network.see", "router"),
    Entry("Pools", "pools", "network.see", "network", under=("/nat/",)),
    Entry("Settings", "settings", "settings.see", "settings"),
    Entry("Staff logins", "signing_in", "staff.see", "shield-lock"),
)

TABS: dict[str, tuple[Entry, ...]] = {
    "customer": (
        Entry("Overview", "customer", "customers.see"),
        Entry("Services", "customer_services", "customers.see"),
        Entry("Money", "customer_money", "money.see"),
        Entry("Sessions", "customer_sessions", "sessions.see"),
    )
}
