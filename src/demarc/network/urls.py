"""Where the pages of the network hang."""

from django.urls import path

from demarc.network import web, web_blocking

urlpatterns = [
    path("routers/", web.routers, name="routers"),
    path("routers/new/", web.new_router, name="new_router"),
    path("routers/<int:router_id>/", web.router, name="router"),
    path("routers/<int:router_id>/edit/", web.edit_router, name="edit_router"),
    path("routers/<int:router_id>/answers/", web.router_answers, name="router_answers"),
    path("pools/", web.pools, name="pools"),
    path("pools/new/", web.new_pool, name="new_pool"),
    path("pools/<int:pool_id>/", web.pool, name="pool"),
    path("pools/<int:pool_id>/edit/", web.edit_pool, name="edit_pool"),
    path("settings/<int:partner_id>/causes/<int:cause>/", web_blocking.edit_cause, name="edit_cause"),
    path("settings/<int:partner_id>/causes/preset/<str:preset>/", web_blocking.use_preset, name="use_preset"),
    path("settings/<int:partner_id>/page/", web_blocking.blocking_page, name="blocking_page"),
    path("settings/pages/", web_blocking.own_pages, name="own_pages"),
    path("settings/pages/<int:place>/", web_blocking.own_page, name="own_page"),
    path("settings/<int:partner_id>/logo/", web_blocking.logo, name="logo"),
]
