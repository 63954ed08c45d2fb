"""How a provider's mail leaves, with the password opened: for the worker that is about to send."""

from demarc.base.vault import open_for_messages
from demarc.messages import mail
from demarc.messages.models import MailServer

PASSWORD = "messages_mailserver.password.{}"  # noqa: S105 - the place it is sealed for


def mail_account(partner_id: int) -> mail.MailAccount:
    """The account of a provider. Raises ObjectDoesNotExist and base.seal.Unsealable."""
    row = MailServer.objects.get(partner_id=partner_id)
    return mail.MailAccount(
        host=row.host,
        port=row.port,
        security=row.security,
        from_address=row.from_address,
        from_name=row.from_name,
        reply_to=row.reply_to,
        username=row.username,
        password=open_for_messages(bytes(row.password), PASSWORD.format(partner_id)) if row.password else "",
    )
