"""What the database role demarc_radius may do: table -> privileges, columns in brackets where not the whole row."""

READ = ("SELECT",)

GRANTS: dict[str, tuple[str, ...]] = {
    "access_bookmark": ("SELECT", "INSERT", "UPDATE"),
    "access_bookmark_id_seq": ("USAGE",),
    "access_coaintent": (
        "SELECT",
        "INSERT",
        "UPDATE (state, tries, due_at, sent_at, answered_at, confirmed_at, error_cause)",
    ),
    "access_decision": ("INSERT",),
    "access_decision_id_seq": ("USAGE",),
    "access_coaintent_id_seq": ("USAGE",),
    "access_feed": READ,
    "access_learned": ("INSERT",),
    "access_learned_id_seq": ("USAGE",),
    "access_lease": ("SELECT", "INSERT", "UPDATE"),
    "access_lease_id_seq": ("USAGE",),
    "access_movingin": READ,
    "access_nas": ("SELECT", "UPDATE (boot_epoch, booted_at, last_seen_at, sends_authenticator)"),
    "access_policy": READ,
    "access_poolblock": ("SELECT", "UPDATE (owner, taken_at, free_after)"),
    "access_sessionlive": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "access_sessionlive_id_seq": ("USAGE",),
    "access_sessionlog": (
        "SELECT",
        "INSERT",
        "UPDATE (ended_at, event_at, session_time_s, input_octets, output_octets, terminate_cause, ending, counting)",
    ),
    "access_subscriber": READ,
    "access_usage": ("SELECT", "INSERT", "UPDATE"),
    "access_usage_id_seq": ("USAGE",),
    "base_partner": ("SELECT (id, name, language, phone, email, website)",),
    "network_blockingpage": READ,
    "network_pool": READ,
    "network_router": READ,
    "network_routercause": READ,
    "plans_service": ("SELECT (id)",),
}
