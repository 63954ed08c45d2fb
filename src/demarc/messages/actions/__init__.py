"""What is done with messages. One module per noun; callers import from here.

enqueue(*, kind, key, account_id | customer_id, values={}, attachments=(), by, at) -> list[Message]
enqueue_many(list of News, *, by, at)                            resend(message_id, *, key, by, at) -> Message
write_note(customer_id, *, channel, subject, text, key, by, at)  send_test(partner_id, *, channel, recipient, key, ...)
send_waiting(*, by, now) -> Counter by state
note_payments(payment_ids, *, by, at)                            note_access(service_ids, *, by, at)
note_documents(document_ids, *, by, at)                          note_reminders(reminder_ids, *, by, at)
look_for_low(*, by, at)                                          write_to_staff(kind, login_id, *, device_id, by, at)
set_rules, save_mail_server, save_sms_gateway(partner_id, *, by, at, fields)
save_wording(partner_id, (kind, channel, language), text, *, by, at)   reset_wording(partner_id, place, *, by, at)
"""

from demarc.messages.actions.colleagues import write_to_staff
from demarc.messages.actions.news import look_for_low, note_access, note_documents, note_payments, note_reminders
from demarc.messages.actions.outbox import OVER, News, enqueue, enqueue_many, resend, send_test, write_note
from demarc.messages.actions.sending import send_waiting
from demarc.messages.actions.settings import MailFields, save_mail_server, save_sms_gateway, set_rules
from demarc.messages.actions.wordings import reset_wording, save_wording

__all__ = [
    "OVER",
    "MailFields",
    "News",
    "enqueue",
    "enqueue_many",
    "look_for_low",
    "note_access",
    "note_documents",
    "note_payments",
    "note_reminders",
    "reset_wording",
    "resend",
    "save_mail_server",
    "save_sms_gateway",
    "save_wording",
    "send_test",
    "send_waiting",
    "set_rules",
    "write_note",
    "write_to_staff",
]
