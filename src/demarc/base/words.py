"""Finding things by the beginnings of words: names, logins, phones, streets, addresses, numbers.

A text finds what has, for each of its words, a word that begins so. Comparing with ~>=~ and ~<~ keeps the index under
row policies, where LIKE loses it. Reads only; the triggers of the rooms' tables write base_searchword.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import BooleanField, F, Func, Q, Value
from django.db.models.expressions import RawSQL

from demarc.base import sql

TERMS_MAX = 6
TERM_MIN = 2
"""One letter begins too many words to be asked for; one digit may be a number."""
TERM_MAX = 100
TOP = "\U0010ffff"
"""Greater than whatever follows a beginning."""
ACCENTS = re.compile("[\u0300-\u036f]")
AROUND = ".,;:+#()\"'"
MAC_BEGINS = re.compile(r"(?:[0-9a-f]{2}[:-]){2,5}[0-9a-f]{0,2}|[0-9a-f]{4}\.[0-9a-f]{4}(?:\.[0-9a-f]{0,4})?")

BEGINNING = """
SELECT w.subject_id{more} FROM base_searchword w
WHERE w.kind = ANY(%s) AND w.word ~>=~ %s AND w.word ~<~ %s AND (%s::bigint[] IS NULL OR w.partner_id = ANY(%s))
    AND NOT EXISTS (SELECT FROM unnest(%s::text[]) term WHERE NOT EXISTS (
        SELECT FROM base_searchword o WHERE o.kind = ANY(%s) AND o.subject_id = w.subject_id
            AND o.word >= term AND o.word < term || %s))
"""
IDS = BEGINNING.format(more="")
NEAREST = BEGINNING.format(more=", w.word") + "ORDER BY w.word USING ~<~, w.subject_id LIMIT %s"
WORDS_A_SUBJECT = 4
"""A thing may be found by several of its words; so many are read for each that is shown."""


class Found(NamedTuple):
    """What was found: its id, the word by which, and whether that is the very word asked for."""

    subject_id: int
    word: str
    exact: bool


def folded(text: str) -> str:
    """Small letters without accents, as the words are stored."""
    return ACCENTS.sub("", unicodedata.normalize("NFKD", text)).lower()


def terms(text: str) -> list[str]:
    """What each word must begin with, the longest first; a MAC as it is stored, without what separates it. Nothing
    where even the longest is too short to be asked for."""
    given = (term.strip(AROUND)[:TERM_MAX] for term in folded(text.replace("\0", "")).split()[:TERMS_MAX])
    made = (re.sub(r"[:.-]", "", term) if MAC_BEGINS.fullmatch(term) else term for term in given)
    found = sorted({term for term in made if term}, key=lambda term: (-len(term), term))
    return found if found and (len(found[0]) >= TERM_MIN or found[0].isdecimal()) else []


class _NotBefore(Func):
    template = "(%(expressions)s)"
    arg_joiner = " ~>=~ "
    output_field = BooleanField()


class _Before(_NotBefore):
    arg_joiner = " ~<~ "


def beginning(field: str, text: str) -> Q:
    """The condition that a field begins with `text`. Its index, of pattern_ops, is used under row policies too."""
    return Q(_NotBefore(F(field), Value(text)), _Before(F(field), Value(text + TOP)))


def begins(kinds: Sequence[str], text: str, partner_ids: Sequence[int] | None) -> RawSQL | None:
    """The ids of what is found by `text` among words of these kinds, of these partners (None: all), for `pk__in`; None
    for no text, or one too short."""
    wanted = terms(text)
    return RawSQL(IDS, _given(kinds, wanted, partner_ids)) if wanted else None  # noqa: S611 - a constant, with values


def nearest(kinds: Sequence[str], text: str, partner_ids: Sequence[int] | None, limit: int) -> list[Found]:
    """At most `limit` things found by `text` among words of these kinds; those first that are found by the very
    word."""
    wanted = terms(text)
    if not wanted:
        return []
    rows = sql.listed(NEAREST, (*_given(kinds, wanted, partner_ids), limit * WORDS_A_SUBJECT))
    found: dict[int, Found] = {}
    for subject_id, word in rows:
        found.setdefault(subject_id, Found(subject_id, word, word == wanted[0] and len(wanted) == 1))
    return list(found.values())[:limit]


def _given(kinds: Sequence[str], wanted: Sequence[str], partner_ids: Sequence[int] | None) -> tuple[Any, ...]:
    first, *others = wanted
    partners = None if partner_ids is None else list(partner_ids)
    return (list(kinds), first, first + TOP, partners, partners, others, list(kinds), TOP)
