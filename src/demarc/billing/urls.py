"""Where the pages of money hang."""

from django.urls import path

from demarc.billing import web, web_parts

urlpatterns = [
    path("payments/", web.payments, name="payments"),
    path("payments/<int:payment_id>/refund/", web.refund, name="refund"),
    path("customers/<int:customer_id>/money/", web.customer_money, name="customer_money"),
    path("accounts/<int:account_id>/pay/", web.pay, name="pay"),
    path("accounts/<int:account_id>/pay/preview/", web.pay_preview, name="pay_preview"),
    path("accounts/<int:account_id>/correct/", web.correct, name="correct"),
    path("accounts/<int:account_id>/unpark/", web.unpark, name="unpark"),
    path("services/<int:service_id>/activate/", web_parts.activate, name="activate"),
]
