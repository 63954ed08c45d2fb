"""Further RADIUS nodes: what is noted when one is to join. The token itself the project room makes."""

from datetime import datetime

from django.db import transaction

from demarc.access.models import Bookmark
from demarc.access.nodes import MAIN
from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.core.errors import Refused

FORBIDDEN = "/ "


@transaction.atomic
def let_node_join(name: str, *, by: Actor, at: datetime) -> str:
    """Note that a node of this name is given the RADIUS key; its name.

    Refuses (code "node") a name that a node has or had: journal and address blocks are known by it.
    """
    name = texts.name(name, field="name", length_max=40)
    if any(mark in name for mark in FORBIDDEN):
        raise Refused("The name of a node has no space and no slash.", field="name", code="node")
    if name == MAIN or Bookmark.objects.filter(node__startswith=f"{name}/").exists():
        raise Refused(f"There is or was a RADIUS node {name}; choose another name.", field="name", code="node")
    log.record("let join", by=by, at=at, subject=("node", None), node=name)
    return name
