"""What is done to logins, what they log in with, their sessions and tokens. Each verb writes one row of the operation
log, never with a secret in it.

    logins     ensure_super_administrator, create_login, save_profile, change_email, change_own_password,
               show_password
    tokens     create_token, revoke_token, note_use
    factors    turn_on_totp, turn_off_totp, make_recovery_codes, check_code, add_passkey, remove_passkey, check_passkey,
               remove_factors, require_second_factor
    sessions   end_sessions, note_seen, note_device
    views      save_view, remove_view
    resets     want_reset, make_reset_code, reset_password
"""

from demarc.staff.actions.factors import (
    add_passkey,
    check_code,
    check_passkey,
    make_recovery_codes,
    remove_factors,
    remove_passkey,
    require_second_factor,
    turn_off_totp,
    turn_on_totp,
)
from demarc.staff.actions.logins import (
    change_email,
    change_own_password,
    create_login,
    ensure_super_administrator,
    save_profile,
    show_password,
)
from demarc.staff.actions.resets import make_reset_code, reset_password, want_reset
from demarc.staff.actions.sessions import end_sessions, note_device, note_seen
from demarc.staff.actions.tokens import create_token, note_use, revoke_token
from demarc.staff.actions.views import NewView, remove_view, save_view

__all__ = [
    "NewView",
    "add_passkey",
    "change_email",
    "change_own_password",
    "check_code",
    "check_passkey",
    "create_login",
    "create_token",
    "end_sessions",
    "ensure_super_administrator",
    "make_recovery_codes",
    "make_reset_code",
    "note_device",
    "note_seen",
    "note_use",
    "remove_factors",
    "remove_passkey",
    "remove_view",
    "require_second_factor",
    "reset_password",
    "revoke_token",
    "save_profile",
    "save_view",
    "show_password",
    "turn_off_totp",
    "turn_on_totp",
    "want_reset",
]
