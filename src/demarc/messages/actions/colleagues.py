"""Letters to the people who work here: a code for a new password, word of a new device.

They do not go through the outbox, whose texts others may read: a letter is made, sent and forgotten, and the code in it
is made with it. A letter that fails is tried again with a new code.
"""

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from django.core.exceptions import ObjectDoesNotExist

from demarc.base import log
from demarc.base.actors import Actor
from demarc.base.models import Partner
from demarc.base.seal import Unsealable
from demarc.core.errors import Unreachable
from demarc.messages import mail
from demarc.messages.accounts import mail_account
from demarc.messages.models import MailServer
from demarc.messages.shipped_staff import LETTERS
from demarc.messages.troubles import NotNow, Rejected
from demarc.staff.actions import make_reset_code
from demarc.staff.models import Device, Login
from demarc.staff.queries import works_for

UNSENT = "letter_unsent"


def write_to_staff(kind: str, login_id: int, *, device_id: int = 0, by: Actor, at: datetime) -> bool:
    """Send a letter of this kind (reset, new_device) through the mail server of a provider that the person works for;
    answers whether it left. Not to be called in a transaction. Raises Unreachable: try again later.

    One row of the log, with no word of what was in the letter. Never refused: without an address, a server or a person
    there is no letter, and the log says so.
    """
    login = Login.objects.filter(pk=login_id, is_active=True).exclude(email="").first()
    account = _account(login) if login else None
    if login is None or account is None:
        why = "no mail server" if login else "no address"
        log.record_refused(UNSENT, by=by, at=at, subject=("login", login_id), letter=kind, why=why)
        return False
    language = login.language or "en"
    words = LETTERS[kind][language if language in LETTERS[kind] else "en"]
    values = {"name": str(login), **_values(kind, login, device_id, language, by=by, at=at)}
    text = words.text.format(**values)
    letter = mail.Letter(login.email, words.subject, text, "", uuid.uuid4().hex, at)
    try:
        with mail.MailSession(account) as session:
            session.send(letter)
    except NotNow as error:
        raise Unreachable(str(error)) from error
    except Rejected as error:
        log.record_refused(UNSENT, by=by, at=at, subject=("login", login_id), letter=kind, why=str(error))
        return False
    log.record("letter_sent", by=by, at=at, subject=("login", login_id), letter=kind)
    return True


def _account(login: Login) -> mail.MailAccount | None:
    """The server of the first provider that has one, his own before others."""
    own = works_for(login)
    servers = MailServer.objects.all() if own is None else MailServer.objects.filter(partner_id__in=own)
    for partner_id in servers.order_by("partner_id").values_list("partner_id", flat=True):
        try:
            return mail_account(partner_id)
        except (ObjectDoesNotExist, Unsealable):
            continue
    return None


def _values(kind: str, login: Login, device_id: int, language: str, *, by: Actor, at: datetime) -> dict[str, str]:
    """What the letter's text names besides the person."""
    if kind == "reset":
        return {"code": make_reset_code(login.pk, by=by, at=at)}
    device = Device.objects.get(pk=device_id, login=login)
    moment = device.first_seen_at.astimezone(ZoneInfo(_zone(login)))
    when = format_datetime(moment, "d MMM y, HH:mm zzz", locale=language)
    return {"device": device.words, "address": device.address or "–", "when": when}


def _zone(login: Login) -> str:
    """Where the person's clock hangs, as staff.doors.zone has it."""
    if login.zone:
        return login.zone
    own = works_for(login)
    partners = Partner.objects.all() if own is None else Partner.objects.filter(pk__in=own)
    return partners.order_by("id").values_list("zone", flat=True).first() or "UTC"
