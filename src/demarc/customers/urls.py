"""Where the pages of customers hang."""

from django.urls import path

from demarc.customers import web, web_terms

urlpatterns = [
    path("customers/", web.customers, name="customers"),
    path("customers/new/", web.new_customer, name="new_customer"),
    path("customers/<int:customer_id>/", web.customer, name="customer"),
    path("customers/<int:customer_id>/edit/", web.edit_customer, name="edit_customer"),
    path("accounts/<int:account_id>/terms/", web_terms.account_terms, name="account_terms"),
    path("settings/", web_terms.providers, name="settings"),
    path("settings/<int:partner_id>/", web_terms.partner, name="partner"),
    path("settings/<int:partner_id>/edit/", web_terms.edit_partner, name="edit_partner"),
    path("settings/<int:partner_id>/terms/", web_terms.partner_terms, name="partner_terms"),
]
