"""Where the pages of money hang."""

from django.urls import path

from demarc.billing import (
    web,
    web_cashdesk,
    web_conversion,
    web_credits,
    web_documents,
    web_parts,
    web_runs,
    web_services,
    web_terms,
    web_whatif,
    web_why,
)

urlpatterns = [
    path("cashdesk/", web_cashdesk.cashdesk, name="cashdesk"),
    path("payments/", web.payments, name="payments"),
    path("payments/<int:payment_id>/refund/", web.refund, name="refund"),
    path("customers/<int:customer_id>/money/", web.customer_money, name="customer_money"),
    path("accounts/<int:account_id>/pay/", web.pay, name="pay"),
    path("accounts/<int:account_id>/pay/preview/", web.pay_preview, name="pay_preview"),
    path("accounts/<int:account_id>/correct/", web.correct, name="correct"),
    path("accounts/<int:account_id>/unpark/", web.unpark, name="unpark"),
    path("accounts/<int:account_id>/billing-type/", web_conversion.convert_account, name="convert_account"),
    path("accounts/<int:account_id>/link/", web_conversion.link_account, name="link_account"),
    path("accounts/<int:account_id>/unlink/", web_conversion.unlink_account, name="unlink_account"),
    path("accounts/<int:account_id>/days/<str:day>/", web_why.day, name="charged_day"),
    path("what-if/", web_whatif.what_if, name="what_if"),
    path("services/<int:service_id>/activate/", web_parts.activate, name="activate"),
    path("documents/", web_documents.documents, name="documents"),
    path("documents/<int:document_id>/", web_documents.document, name="document"),
    path("documents/<int:document_id>/pdf/", web_documents.document_pdf, name="document_pdf"),
    path("documents/<int:document_id>/credit/", web_credits.credit_document, name="credit_document"),
    path("accounts/<int:account_id>/items/new/", web_documents.new_item, name="new_item"),
    path("accounts/<int:account_id>/items/bill/", web_documents.bill_items, name="bill_items"),
    path("items/<int:item_id>/cancel/", web_documents.cancel_item, name="cancel_item"),
    path("accounts/<int:account_id>/calendar/", web_terms.account_recurring, name="account_recurring"),
    path("settings/<int:partner_id>/calendar/", web_terms.partner_recurring, name="partner_recurring"),
    path("settings/<int:partner_id>/auto-issue/", web_terms.auto_issue, name="auto_issue"),
    path("services/<int:service_id>/price/", web_services.service_price, name="service_price"),
    path("services/<int:service_id>/discounts/new/", web_services.new_discount, name="new_discount"),
    path("discounts/<int:discount_id>/withdraw/", web_services.withdraw_discount, name="withdraw_discount"),
    path("runs/", web_runs.runs, name="runs"),
    path("runs/due/<int:partner_id>/", web_runs.due_run, name="due_run"),
    path("runs/<int:run_id>/", web_runs.run, name="run"),
    path("runs/<int:run_id>/progress/", web_runs.run_progress, name="run_progress"),
    path("tonight/", web_runs.tonight, name="tonight"),
    *(
        path(f"runs/<int:run_id>/{verb}/", web_runs.run_verb, {"verb": verb}, name=f"{verb}_run")
        for verb in web_runs.VERBS
    ),
]
