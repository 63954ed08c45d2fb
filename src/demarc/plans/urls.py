"""Where the pages of plans and services hang."""

from django.urls import path

from demarc.plans import web, web_services

urlpatterns = [
    path("plans/", web.plans, name="plans"),
    path("plans/new/", web.new_plan, name="new_plan"),
    path("plans/<int:plan_id>/", web.plan, name="plan"),
    path("plans/<int:plan_id>/edit/", web.edit_plan, name="edit_plan"),
    path("plans/<int:plan_id>/price/", web.set_price, name="set_price"),
    path("settings/<int:partner_id>/tax/", web.set_tax, name="set_tax"),
    path("customers/<int:customer_id>/services/", web_services.customer_services, name="customer_services"),
    path("customers/<int:customer_id>/services/new/", web_services.new_service, name="new_service"),
    path("customers/<int:customer_id>/block/", web_services.block, name="block_customer"),
    path("customers/<int:customer_id>/unblock/", web_services.unblock, name="unblock_customer"),
    path("services/<int:service_id>/", web_services.service, name="service"),
    path("services/<int:service_id>/plan/", web_services.change_plan, name="change_plan"),
    *(
        path(f"services/<int:service_id>/{verb}/", web_services.leave_service, {"verb": verb}, name=f"{verb}_service")
        for verb in web_services.LEAVING
    ),
]
