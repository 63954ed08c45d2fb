"""The operation log over the API, to read: for those who keep it elsewhere, too, or watch over it."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from demarc.base.models import OperationLog
from demarc.staff.apidoor import Token, within, words
from demarc.staff.apiforms import Listing, Page, private_listing
from demarc.staff.log_told import told

router = Router()

Word = Annotated[str, Field(max_length=60, pattern=r"^[a-z][a-z_ .]*$")]
Thing = Annotated[
    str, Field(max_length=60, pattern=r"^[a-z][a-z_.]*(:[0-9]{1,18})?$", examples=["customer:17", "plan"])
]
"""A kind, or one thing of it by its id."""


class OperationOut(Schema):
    """An entry. `body` says what was done (`changed`: field -> [before, after]), its phones and addresses masked as
    everywhere; null: it was removed by rule."""

    id: int
    at: datetime
    kind: str
    verb: str
    result: str
    actor_kind: str
    actor_id: int
    actor_label: str
    address: str | None
    partner_id: int | None
    subject_kind: str
    subject_id: int | None
    request_id: str
    body: dict[str, Any] | None


class OperationSearch(Page):
    """What the entries are about, who did it, what it was and when."""

    about: Thing | None = None
    who: Thing | None = None
    verb: Word | None = None
    since: datetime | None = None
    until: datetime | None = None


@router.get(
    "/operations",
    auth=Token("log.see"),
    response=Listing[OperationOut],
    tags=["operations"],
    summary="What was done and looked at, newest first",
)
def operations(request: HttpRequest, search: Query[OperationSearch]) -> dict[str, Any]:
    rows = within(request, OperationLog.objects.all())
    for column, thing in (("subject", search.about), ("actor", search.who)):
        kind, _, key = (thing or "").partition(":")
        rows = rows.filter(**{f"{column}_kind": kind}) if kind else rows
        rows = rows.filter(**{f"{column}_id": int(key)}) if key else rows
    if search.verb:
        rows = rows.filter(verb=search.verb)
    if search.since:
        rows = rows.filter(at__gte=search.since)
    if search.until:
        rows = rows.filter(at__lt=search.until)
    answer = private_listing(request, "operations", rows, search)
    bodies = told(answer["items"], words(request))
    for entry in answer["items"]:
        entry.body = bodies[entry.pk]
    return answer
