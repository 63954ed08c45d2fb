"""Mail out over SMTP: one connection for a batch. No database; secrets are handed in and never shown.

The Message-ID (RFC 5322 section 3.6.4) is the same at every attempt. A worker that dies between the server's 250 and
its own note of it sends the letter again under that id; mailbox software folds the two. SMTP offers nothing better:
RFC 5321 section 4.5.3.2.6 says that duplicates are then possible.
"""

import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from types import TracebackType
from typing import Self

from demarc.core.errors import Unreachable
from demarc.messages.attachments import Attachment
from demarc.messages.troubles import NotNow, Rejected, outside

TIMEOUT_S = 10
NO_MORE = 500
"""An SMTP reply from here on is final (RFC 5321 section 4.2.1)."""


@dataclass(frozen=True, slots=True)
class MailAccount:
    """How one provider's mail leaves; `security` is none, starttls or tls."""

    host: str
    port: int
    security: str
    from_address: str
    from_name: str = ""
    reply_to: str = ""
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. `local_id` makes its Message-ID."""

    to: str
    subject: str
    text: str
    html: str
    local_id: str
    at: datetime
    attachments: Sequence[Attachment] = ()


class MailSession:
    """One connection to the provider's server. Raises Unreachable on entry when there is none to be had."""

    def __init__(self, account: MailAccount) -> None:
        self._account = account
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        try:
            self._smtp = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable(f"The mail server {self._account.host} cannot be used: {_why(error)}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
            self._smtp.close()

    def send(self, letter: Letter) -> None:
        """Hand one letter over. Raises Rejected when it will never be taken, NotNow when it may be later, and
        Unreachable when the connection is of no more use."""
        assert self._smtp is not None  # noqa: S101 - used as a context manager
        try:
            self._smtp.send_message(composed(letter, self._account), self._account.from_address, [letter.to])
        except smtplib.SMTPRecipientsRefused as error:
            ((code, said),) = error.recipients.values()
            raise _refused(code, said) from error
        except smtplib.SMTPSenderRefused as error:  # of all letters alike, so the settings are to blame
            raise Unreachable(_said(error.smtp_code, error.smtp_error)) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPNotSupportedError, UnicodeError, MessageError, ValueError) as error:
            raise Rejected(f"This address or text cannot be mailed: {_why(error)}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable(f"The mail server {self._account.host} went away: {_why(error)}") from error

    def _connected(self) -> smtplib.SMTP:
        account, trusted = self._account, ssl.create_default_context()
        name = socket.gethostname()
        if account.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(account.host, account.port, name, timeout=TIMEOUT_S, context=trusted)
        else:
            smtp = smtplib.SMTP(account.host, account.port, name, timeout=TIMEOUT_S)
        try:
            if account.security == "starttls":
                smtp.starttls(context=trusted)
            if account.username and account.security != "none":
                smtp.login(account.username, account.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


def composed(letter: Letter, account: MailAccount) -> EmailMessage:
    """The letter as it goes over the wire. Raises ValueError for a line break in a header or an address."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(account.from_name, addr_spec=account.from_address)
    message["To"] = Address(addr_spec=letter.to)
    if account.reply_to:
        message["Reply-To"] = Address(addr_spec=account.reply_to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.local_id}@{account.from_address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from holidays, please
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    for one in letter.attachments:
        main, _, sub = one.content_type.partition("/")
        message.add_attachment(one.data, maintype=main, subtype=sub or "octet-stream", filename=one.name)
    return message


def _refused(code: int, said: bytes | str) -> Rejected | NotNow:
    words = _said(code, said)
    return Rejected(words) if code >= NO_MORE else NotNow(words)


def _said(code: int, said: bytes | str) -> str:
    return outside(f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}")


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "it does not accept the user name and password"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    return outside(str(error)) or type(error).__name__
