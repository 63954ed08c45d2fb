"""Where the door's pages hang."""

from django.urls import path

from demarc.staff import web

urlpatterns = [
    path("", web.dashboard, name="dashboard"),
    path("login/", web.login, name="account_login"),
    path("logout/", web.logout, name="account_logout"),
    path("me/", web.me, name="me"),
]
