"""A provider's own texts in place of the shipped ones."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from demarc.base import limits, log, texts
from demarc.base.actors import Actor, recorded
from demarc.base.models import Partner
from demarc.core.errors import Refused
from demarc.messages.kinds import CHANNELS, MAIL
from demarc.messages.models import Wording
from demarc.messages.queries import templated
from demarc.messages.shipped import Text
from demarc.messages.wording import SUBJECT_MAX, faults_of

TEXT_MAX = 10_000

Place = tuple[str, str, str]
"""Which text: kind, channel, language."""


@transaction.atomic
def save_wording(partner_id: int, place: Place, text: Text, *, by: Actor, at: datetime) -> Wording:
    """Use this text from now on; messages that wait already keep theirs.

    Refused: kind, channel or language unknown, nothing written, too long, a fault in it (core.wording names the line).
    """
    kind, channel, language = _known(place)
    if not Partner.objects.filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    given = _checked(channel, text)
    faults_of(templated(kind), channel, given)
    facts = given._asdict() | recorded(by, at)
    row, _ = Wording.objects.update_or_create(
        partner_id=partner_id, kind=kind, channel=channel, language=language, defaults=facts
    )
    log.record("wording_saved", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, text=place)
    return row


@transaction.atomic
def reset_wording(partner_id: int, place: Place, *, by: Actor, at: datetime) -> None:
    """Back to the shipped text. Refused: it is the shipped one, or there is no such text."""
    kind, channel, language = _known(place)
    rows = Wording.objects.filter(partner_id=partner_id, kind=kind, channel=channel, language=language)
    if not rows.delete()[0]:
        raise Refused("This is the shipped text already.", code="unknown")
    log.record("wording_reset", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, text=place)


def _known(place: Place) -> Place:
    kind, channel, language = place
    templated(kind)
    limits.word(channel, CHANNELS, field="channel")
    limits.word(language, [code for code, _ in settings.LANGUAGES], field="language")
    return place


def _checked(channel: str, given: Text) -> Text:
    text = texts.plain(given.text, field="text", length_max=TEXT_MAX)
    if not text:
        raise Refused("Write something.", field="text")
    if channel != MAIL:
        return Text("", text)
    subject = texts.name(given.subject, field="subject", length_max=SUBJECT_MAX)
    return Text(subject, text, texts.plain(given.html, field="html", length_max=TEXT_MAX))
