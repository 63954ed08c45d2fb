"""What people do to the views of lists that they keep. A view is its keeper's alone."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.core.errors import Refused
from demarc.staff.models import Login, SavedView
from demarc.ui.lists import clean_state

VIEWS_MAX = 50
"""Of one person and list; all are shown on its page."""


class NewView(NamedTuple):
    """A list by its name, how the view is called, the query of the list's address, and whether the list opens so."""

    list_name: str
    name: str
    state: str
    default: bool = False


@transaction.atomic
def save_view(login_id: int, new: NewView, *, by: Actor, at: datetime) -> SavedView:
    """Keep a view; one of that name is replaced. Refused: no name, a list that has no such name, too long an address,
    too many views."""
    name = texts.name(new.name, length_max=60)
    list_name = texts.name(new.list_name, field="list_name", length_max=40)
    default, kept = new.default, clean_state(new.state)
    if new.state and not kept:
        raise Refused("There is nothing to keep: pick a filter, an order or columns first.", code="no_state")
    login = Login.objects.select_for_update().get(pk=login_id)
    mine = SavedView.objects.filter(login=login, list_name=list_name)
    if mine.exclude(name=name).count() >= VIEWS_MAX:
        raise Refused(f"More than {VIEWS_MAX} views of one list are not kept; remove one first.", code="too_many")
    if default:
        mine.filter(is_default=True).update(is_default=False)
    facts: dict[str, Any] = {"state": kept, "is_default": default}
    view, _ = SavedView.objects.update_or_create(login=login, list_name=list_name, name=name, defaults=facts)
    log.record("view_saved", by=by, at=at, subject=("login", login_id), list=list_name, name=name, **facts)
    return view


@transaction.atomic
def remove_view(login_id: int, view_id: int, *, by: Actor, at: datetime) -> SavedView:
    """Forget a view. Refused: it is not one of his."""
    view = SavedView.objects.filter(login_id=login_id, pk=view_id).first()
    if view is None:
        raise Refused("There is no such view.", code="unknown")
    log.record("view_removed", by=by, at=at, subject=("login", login_id), list=view.list_name, name=view.name)
    view.delete()
    return view
