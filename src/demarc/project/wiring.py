"""Which jobs read which event. The one table by which news travels against the arrows."""

READERS: dict[str, tuple[str, ...]] = {
    "AccessChanged": ("access.sync_services",),
    "ServiceChanged": ("access.sync_services",),
    "PolicyChanged": ("access.publish_policy",),
    "RetryDue": ("billing.retry_accounts",),
}
