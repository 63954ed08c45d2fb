"""Where the pages of sessions, logins and RADIUS clients hang."""

from django.urls import path

from demarc.access import (
    web,
    web_answers,
    web_decisions,
    web_fair_use,
    web_history,
    web_logins,
    web_moving,
    web_nat,
    web_nodes,
    web_orders,
    web_routers,
    web_trace,
)

urlpatterns = [
    path("sessions/", web.sessions, name="sessions"),
    path("sessions/past/", web_history.past, name="past_sessions"),
    path("sessions/<int:session_id>/disconnect/", web.disconnect, name="disconnect"),
    path("sessions/trace/", web_trace.trace, name="trace_address"),
    path("sessions/orders/", web_orders.told, name="orders"),
    path("sessions/orders/<int:intent_id>/retry/", web_orders.retry, name="retry_order"),
    path("customers/<int:customer_id>/sessions/", web.customer_sessions, name="customer_sessions"),
    path("customers/<int:customer_id>/live/", web.customer_live, name="customer_live"),
    path("services/<int:service_id>/logins/new/", web_logins.new_login, name="new_login"),
    path("plans/<int:plan_id>/fair-use/", web_fair_use.edit_fair_use, name="edit_fair_use"),
    path("plans/<int:plan_id>/fair-use/drop/", web_fair_use.drop_fair_use, name="drop_fair_use"),
    path("logins/<int:login_id>/password/", web_logins.change_password, name="change_login_password"),
    path("logins/<int:login_id>/addresses/", web_logins.set_addresses, name="set_login_addresses"),
    path("settings/<int:partner_id>/answers/<str:nas_type>/", web_answers.edit_answers, name="edit_answers"),
    path(
        "settings/<int:partner_id>/answers/<str:nas_type>/preview/", web_answers.preview_answers, name="preview_answers"
    ),
    path("settings/<int:partner_id>/answers/<str:nas_type>/reset/", web_answers.reset_answers, name="reset_answers"),
    path("routers/<int:router_id>/radius/", web_routers.radius, name="router_radius"),
    path("routers/<int:router_id>/moving/", web_moving.moving_in, name="moving_in"),
    path("nat/", web_nat.nat_ranges, name="nat_ranges"),
    path("nat/new/", web_nat.new_nat_range, name="new_nat_range"),
    path("nat/<int:range_id>/end/", web_nat.end_nat_range, name="end_nat_range"),
    path("radius/decisions/", web_decisions.decisions, name="decisions"),
    path("radius/decisions/<int:decision_id>/", web_decisions.decision, name="decision"),
    path("radius/nodes/", web_nodes.radius_nodes, name="radius_nodes"),
    path("radius/moving/", web_moving.moving, name="moving"),
    path("radius/shadow/", web_decisions.shadow, name="shadow"),
    path("routers/<int:router_id>/script/", web_routers.script, name="router_script"),
]
