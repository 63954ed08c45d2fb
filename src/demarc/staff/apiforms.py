"""What every room's API says alike: how input is read, how a list is answered. Knows no business noun."""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Header, Schema
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

from demarc.base import clock, texts
from demarc.base.idempotency import once
from demarc.core.errors import Refused
from demarc.core.money import Money, format_plain
from demarc.staff.apidoor import BIGINT, listed, token_of

LIMIT_MAX = 200
KEY_LENGTH_MAX = 64
SEARCH_LENGTH_MAX = 100
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

M = TypeVar("M", bound=Model)
Row = TypeVar("Row")


def _iso_day(given: object) -> object:
    """Only a day written out: without this, numbers would be taken as seconds since 1970."""
    if isinstance(given, date) or (isinstance(given, str) and ISO_DAY.fullmatch(given)):
        return given
    raise ValueError("write a day like 2024-05-31")


def _search(text: str) -> str:
    return texts.one_line(text, field="q", length_max=SEARCH_LENGTH_MAX)


Id = Annotated[StrictInt, Field(ge=1, lt=BIGINT)]
"""The id of a row, in a body."""
Filter = Annotated[int, Field(ge=1, lt=BIGINT)]
"""The id of a row, in a query."""
Day = Annotated[date, BeforeValidator(_iso_day)]
Amount = Annotated[str, Field(max_length=40, examples=["20.00"])]
"""Whole units, a dot, and at most the currency's decimals."""
Flag = StrictBool
Whole = StrictInt
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=KEY_LENGTH_MAX)]
"""The same again when a request is repeated, so that the money moves once."""
Search = Annotated[str, Field(max_length=SEARCH_LENGTH_MAX), AfterValidator(_search)]


class Input(Schema):
    """A body; a field that it does not know is refused, since it is a field spelt wrong."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)


class Page(Schema):
    """Which page of a list is wanted: the rows behind `after`, at most `limit`."""

    model_config = ConfigDict(use_enum_values=True)

    after: Filter | None = None
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = 50


class Listing(Schema, Generic[Row]):
    """A page of a list, the newest first; `next` is the `after` of the next page, null on the last."""

    items: list[Row]
    next: int | None


def listing(rows: QuerySet[M], page: Page) -> dict[str, Any]:
    """The page of `rows` that is wanted, as a Listing (keyset pagination by id)."""
    wanted = rows.order_by("-pk") if page.after is None else rows.filter(pk__lt=page.after).order_by("-pk")
    found = list(wanted[: page.limit + 1])
    shown = found[: page.limit]
    return {"items": shown, "next": shown[-1].pk if len(found) > page.limit else None}


def private_listing(request: HttpRequest, noun: str, rows: QuerySet[M], page: Page) -> dict[str, Any]:
    """A page of a list about people: the operation log says who read it, by what filter."""
    answer = listing(rows, page)
    listed(request, noun, len(answer["items"]), page.model_dump(mode="json", exclude_unset=True))
    return answer


def answered_once(request: HttpRequest, key: str, payload: Schema, make: Callable[[str], Schema]) -> HttpResponse:
    """The answer (201) that `make` gives, or gave when the same request came before under this Idempotency-Key.

    `make` is given the key as the token's own. Refused: a key that cannot be printed, or was used for another request.
    """
    if not key.isprintable():
        raise Refused("A key is made of printable characters.", field="Idempotency-Key", code="idempotency_key")
    scope = f"token:{token_of(request).pk}"
    asked = {"path": request.path, "body": payload.model_dump(mode="json", exclude_unset=True)}

    def answer() -> dict[str, Any]:
        return make(f"{scope}:{key}").model_dump()

    return JsonResponse(once(scope, key, asked, at=clock.now(), answer=answer), status=201)


def given(payload: Schema) -> dict[str, Any]:
    """The fields that the request names, and no others."""
    return payload.model_dump(exclude_unset=True)


def shown(amount: int, currency: str) -> str:
    """Minor units as a decimal string."""
    return format_plain(Money(amount, currency))
