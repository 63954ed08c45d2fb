"""What every room's API says alike: how input is read, how a list is answered. Knows no business noun."""

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Header, Schema
from ninja.responses import NinjaJSONEncoder
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, field_validator

from demarc.base import clock, texts
from demarc.base.idempotency import once
from demarc.core.money import Money, format_plain
from demarc.staff.apidoor import BIGINT, listed, token_of

LIMIT_MAX = 200
SEARCH_LENGTH_MAX = 100
UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
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
Key = Annotated[str, Header(alias="Idempotency-Key", pattern=r"^[!-~]{1,64}$")]
"""Visible ASCII, without blanks; the same again when a request is repeated, so that the money moves once."""
Search = Annotated[str, Field(max_length=SEARCH_LENGTH_MAX), AfterValidator(_search)]


class Input(Schema):
    """A body; a field that it does not know is refused, since it is a field spelt wrong."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)

    @field_validator("*")
    @classmethod
    def _can_be_stored(cls, value: Any) -> Any:
        """JSON can write what neither UTF-8 nor the database can hold."""
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and UNSTORABLE.search(text):
                raise ValueError("the text holds characters that cannot be stored")
        return value


def left_out_stays(schema: dict[str, Any]) -> None:
    """The document of a body of changes: a program that fills in defaults must not find any."""
    for field in schema["properties"].values():
        field.pop("default", None)


class Page(Schema):
    """Which page of a list is wanted: the rows behind `after`, at most `limit`."""

    model_config = ConfigDict(use_enum_values=True)

    after: Filter | None = None
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = 50


class Listing(Schema, Generic[Row]):
    """A page of a list."""

    model_config = ConfigDict(json_schema_extra={"description": "A page of a list."})

    items: Annotated[list[Row], Field(description="The newest first.")]
    next: Annotated[int | None, Field(description="The `after` of the next page; null on the last one.")]

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """How the document calls it: PlanOut's is PlanList."""
        return str(params[0].__name__).removesuffix("Out") + "List"


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

    `make` is given the key as the token's own. Refused: the key was used for another request (code conflict).
    """
    scope = f"token:{token_of(request).pk}"
    asked = {"path": request.path, "body": payload.model_dump(mode="json", exclude_unset=True)}

    def answer() -> str:
        return json.dumps(make(f"{scope}:{key}").model_dump(), cls=NinjaJSONEncoder)

    text = once(scope, key, asked, at=clock.now(), answer=answer)
    return HttpResponse(text, status=201, content_type="application/json")


def given(payload: Schema) -> dict[str, Any]:
    """The fields that the request names, and no others."""
    return payload.model_dump(exclude_unset=True)


def shown(amount: int, currency: str) -> str:
    """Minor units as a decimal string."""
    return format_plain(Money(amount, currency))
