"""Where the pages of plans and services hang."""

from django.urls import path

from demarc.plans import web, web_bulk, web_planned, web_services

urlpatterns = [
    path("plans/", web.plans, name="plans"),
    path("plans/new/", web.new_plan, name="new_plan"),
    path("plans/<int:plan_id>/", web.plan, name="plan"),
    path("plans/<int:plan_id>/edit/", web.edit_plan, name="edit_plan"),
    path("plans/<int:plan_id>/price/", web.set_price, name="set_price"),
    path("settings/<int:partner_id>/tax/", web.set_tax, name="set_tax"),
    path("customers/<int:customer_id>/services/", web_services.customer_services, name="customer_services"),
    path("customers/<int:customer_id>/services/new/", web_services.new_service, name="new_service"),
    path("customers/block/", web_bulk.block_customers, name="block_customers"),
    path("customers/unblock/", web_bulk.unblock_customers, name="unblock_customers"),
    path("customers/<int:customer_id>/block/", web_services.block, name="block_customer"),
    path("customers/<int:customer_id>/unblock/", web_services.unblock, name="unblock_customer"),
    path("services/<int:service_id>/", web_services.service, name="service"),
    path("services/<int:service_id>/plan/", web_planned.change_plan, name="change_plan"),
    path("services/<int:service_id>/pause/", web_planned.pause, name="pause_service"),
    path("services/<int:service_id>/stop/", web_planned.stop, name="stop_service"),
    path("services/<int:service_id>/end/", web_planned.end, name="end_service"),
    path("planned/<int:fact_id>/take-back/", web_planned.take_back, name="take_back"),
]
