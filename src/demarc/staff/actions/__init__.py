"""What is done to logins, what they log in with, their sessions and tokens. Each verb writes one row of the operation
log, never with a secret in it.

    logins     ensure_super_administrator, create_login, add_person, switch, save_profile, change_email,
               change_own_password, show_password
    roles      create_role, save_role, reset_role, remove_role, set_role, set_own_rights, view_as, end_view_as
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
    add_person,
    change_email,
    change_own_password,
    create_login,
    ensure_super_administrator,
    save_profile,
    show_password,
    switch,
)
from demarc.staff.actions.resets import make_reset_code, reset_password, want_reset
from demarc.staff.actions.roles import (
    create_role,
    end_view_as,
    remove_role,
    reset_role,
    save_role,
    set_own_rights,
    set_role,
    view_as,
)
from demarc.staff.actions.sessions import end_sessions, note_device, note_seen
from demarc.staff.actions.tokens import create_token, note_use, revoke_token
from demarc.staff.actions.views import NewView, remove_view, save_view

__all__ = [
    "NewView",
    "add_passkey",
    "add_person",
    "change_email",
    "change_own_password",
    "check_code",
    "check_passkey",
    "create_login",
    "create_role",
    "create_token",
    "end_sessions",
    "end_view_as",
    "ensure_super_administrator",
    "make_recovery_codes",
    "make_reset_code",
    "note_device",
    "note_seen",
    "note_use",
    "remove_factors",
    "remove_passkey",
    "remove_role",
    "remove_view",
    "require_second_factor",
    "reset_password",
    "reset_role",
    "revoke_token",
    "save_profile",
    "save_role",
    "set_own_rights",
    "set_role",
    "save_view",
    "show_password",
    "switch",
    "turn_off_totp",
    "turn_on_totp",
    "view_as",
    "want_reset",
]
