"""Where the door's pages hang."""

from django.urls import path

from demarc.staff import web, web_me, web_people, web_rights, web_roles, web_tokens

urlpatterns = [
    path("", web.dashboard, name="dashboard"),
    path("login/", web.login, name="account_login"),
    path("login/code/", web.login_code, name="mfa_authenticate"),
    path("logout/", web.logout, name="account_logout"),
    path("forgotten/", web.want_reset, name="want_reset"),
    path("forgotten/code/", web.reset, name="reset"),
    path("prove/", web_me.prove, name="prove"),
    path("me/", web_me.me, name="me"),
    path("me/email/", web_me.email, name="my_email"),
    path("me/password/", web_me.password, name="my_password"),
    path("me/login/", web_me.security, name="security"),
    path("me/login/app/", web_me.totp, name="totp"),
    path("me/login/app/off/", web_me.totp_off, name="totp_off"),
    path("me/login/recovery/", web_me.recovery_codes, name="recovery_codes"),
    path("me/login/passkeys/add/", web_me.passkey_add, name="passkey_add"),
    path("me/login/passkeys/remove/", web_me.passkey_remove, name="passkey_remove"),
    path("me/sessions/", web_me.my_sessions, name="my_sessions"),
    path("signing-in/", web_people.people, name="signing_in"),
    path("signing-in/roles/", web_people.roles, name="signing_in_roles"),
    path("signing-in/new/", web_rights.new_person, name="new_person"),
    path("signing-in/<int:staff_id>/", web_people.person, name="login"),
    path("signing-in/<int:staff_id>/role/", web_rights.place, name="person_role"),
    path("signing-in/<int:staff_id>/rights/", web_rights.own_rights, name="person_rights"),
    path("signing-in/<int:staff_id>/switch/", web_rights.switch, name="switch_person"),
    path("roles/", web_roles.all_roles, name="roles"),
    path("roles/new/", web_roles.new_role, name="new_role"),
    path("roles/can/", web_roles.can, name="can"),
    path("roles/as-myself/", web_roles.end_view_as, name="end_view_as"),
    path("roles/<int:role_id>/", web_roles.role, name="role"),
    path("roles/<int:role_id>/edit/", web_roles.edit_role, name="edit_role"),
    path("roles/<int:role_id>/reset/", web_roles.reset_role, name="reset_role"),
    path("roles/<int:role_id>/remove/", web_roles.remove_role, name="remove_role"),
    path("roles/<int:role_id>/view-as/", web_roles.view_as, name="view_as"),
    path("tokens/", web_tokens.tokens, name="tokens"),
    path("tokens/new/", web_tokens.new_token, name="new_token"),
    path("tokens/<int:token_id>/revoke/", web_tokens.revoke_token, name="revoke_token"),
]
