"""Where each room's pages and the API hang. Every URL names a permission (tests/test_house.py)."""

from django.urls import URLPattern, URLResolver, include, path

from demarc.project.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("", include("demarc.staff.urls")),
    path("", include("demarc.customers.urls")),
    path("", include("demarc.plans.urls")),
    path("", include("demarc.billing.urls")),
    path("", include("demarc.billing.urls_dunning")),
    path("", include("demarc.network.urls")),
    path("", include("demarc.access.urls")),
    path("", include("demarc.messages.urls")),
]
