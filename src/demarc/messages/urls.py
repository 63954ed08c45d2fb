"""Where the pages of messages hang."""

from django.urls import path

from demarc.messages import web, web_bulk, web_settings, web_texts

TEXT = "settings/<int:partner_id>/messages/texts/<slug:kind>/<slug:channel>/<slug:language>/"

urlpatterns = [
    path("messages/", web.messages_, name="messages"),
    path("messages/<int:message_id>/", web.message, name="message"),
    path("messages/<int:message_id>/resend/", web.resend, name="resend_message"),
    path("customers/write/", web_bulk.write_customers, name="write_customers"),
    path("customers/<int:customer_id>/write/", web.write, name="write_message"),
    path("settings/<int:partner_id>/messages/", web_settings.overview, name="message_settings"),
    path("settings/<int:partner_id>/messages/rules/", web_settings.rules, name="message_rules"),
    path("settings/<int:partner_id>/messages/mail/", web_settings.mail_server, name="mail_server"),
    path("settings/<int:partner_id>/messages/sms/", web_settings.sms_gateway, name="sms_gateway"),
    path("settings/<int:partner_id>/messages/test/<slug:channel>/", web_settings.test, name="test_message"),
    path("settings/<int:partner_id>/messages/texts/", web_texts.texts, name="message_texts"),
    path(TEXT, web_texts.text, name="message_text"),
    path(f"{TEXT}preview/", web_texts.preview, name="preview_message_text"),
    path(f"{TEXT}reset/", web_texts.reset, name="reset_message_text"),
]
