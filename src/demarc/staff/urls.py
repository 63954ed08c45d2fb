"""Where the door's pages hang."""

from django.urls import path

from demarc.staff import web, web_me, web_people, web_search, web_views

urlpatterns = [
    path("", web.dashboard, name="dashboard"),
    path("views/", web_views.save_view, name="save_view"),
    path("views/<int:view_id>/remove/", web_views.remove_view, name="remove_view"),
    path("search/", web_search.search, name="search"),
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
    path("signing-in/<int:staff_id>/", web_people.person, name="login"),
]
