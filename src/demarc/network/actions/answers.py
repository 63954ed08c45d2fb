"""What routers of one make are told. Each template is read here as radiusd reads it, so that none is published that it
could not fill in."""

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction

from demarc.base import log
from demarc.base.actors import Actor
from demarc.base.events import emit
from demarc.base.models import Partner
from demarc.core.errors import Refused
from demarc.network.models import CauseAnswer, NasAnswers, NasType, SecondSession
from demarc.network.queries import shipped_answers
from demarc.wire.radius.errors import Malformed
from demarc.wire.radius.templates import parse

TEMPLATES = ("online", "blocked", "coa_block", "coa_restore", "coa_fair_use", "coa_fair_restore")


class AnswersFacts(TypedDict, total=False):
    """What may be changed; the templates are texts as `wire.radius.templates` has them."""

    block: str
    second: str
    online: str
    blocked: str
    coa_block: str
    coa_restore: str
    coa_fair_use: str
    coa_fair_restore: str


@transaction.atomic
def save_answers(
    partner_id: int, nas_type: str, *, by: Actor, at: datetime, **changes: Unpack[AnswersFacts]
) -> NasAnswers:
    """Change what a partner's routers of this make are told. Refused: no such make or choice; a line that is not
    `Attribute = value`, an unknown attribute or variable, a value that the attribute cannot hold."""
    if nas_type not in NasType.values:
        raise Refused(f"Choose one of {', '.join(NasType.values)}.", field="nas_type")
    Partner.objects.select_for_update().get(pk=partner_id)
    answers = NasAnswers.objects.filter(partner_id=partner_id, nas_type=nas_type).first()
    answers = answers or shipped_answers(partner_id, nas_type)
    before = log.snapshot(answers)
    for name, value in changes.items():
        setattr(answers, name, value)
    _check(answers)
    answers.save()
    _changed("answers_saved", partner_id, nas_type, by=by, at=at, changed=log.changes(before, answers))
    return answers


@transaction.atomic
def reset_answers(partner_id: int, nas_type: str, *, by: Actor, at: datetime) -> None:
    """Tell routers of this make what is shipped for it. Refuses nothing."""
    Partner.objects.select_for_update().get(pk=partner_id)
    NasAnswers.objects.filter(partner_id=partner_id, nas_type=nas_type).delete()
    _changed("answers_reset", partner_id, nas_type, by=by, at=at)


def _check(answers: NasAnswers) -> None:
    if answers.block not in CauseAnswer.values:
        raise Refused(f"Choose one of {', '.join(CauseAnswer.values)}.", field="block")
    if answers.second not in SecondSession.values:
        raise Refused(f"Choose one of {', '.join(SecondSession.values)}.", field="second")
    for name in TEMPLATES:
        text = getattr(answers, name).replace("\r\n", "\n").strip()
        try:
            parse(text)
        except Malformed as error:
            raise Refused(str(error), field=name, code="template") from error
        setattr(answers, name, text)


def _changed(verb: str, partner_id: int, nas_type: str, *, by: Actor, at: datetime, **body: object) -> None:
    log.record(verb, by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, nas_type=nas_type, **body)
    emit("PolicyChanged", partners=[partner_id])
