"""Django's sessions in a table that also says whose they are, so that they can be shown and ended.

Who is logged in, by which browser and from where stands in the session itself (`place`); the columns repeat it.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.http import HttpRequest

from demarc.base import clock
from demarc.staff.devices import device_words
from demarc.staff.models import Session

PLACE = "place"
PROVEN = "proven_at"


class SessionStore(db.SessionStore):  # the stubs know neither its rows' class nor the method that loads one
    """settings.SESSION_ENGINE."""

    seen_at: datetime | None = None
    """When the session was seen last, as its row said when it was loaded."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Where the rows are."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row of what the session holds now."""
        row: Any = super().create_model_instance(data)
        place = data.get(PLACE, {})
        began = place.get("began_at")
        row.login_id = data.get(SESSION_KEY)
        row.device, row.address = place.get("device", ""), place.get("address") or None
        row.began_at = datetime.fromisoformat(began) if began else None
        row.seen_at = self.seen_at = clock.now()
        made: Session = row
        return made

    def _get_session_from_db(self) -> Session | None:
        row: Session | None = super()._get_session_from_db()  # type: ignore[misc]
        self.seen_at = row.seen_at if row else None
        return row


def begin(request: HttpRequest, at: datetime) -> None:
    """Write into a session that has just begun where it is, and that its holder has just proved himself."""
    request.session[PLACE] = {
        "device": device_words(request.headers.get("User-Agent", "")),
        "address": request.META.get("REMOTE_ADDR", ""),
        "began_at": at.isoformat(),
    }
    prove(request, at)


def prove(request: HttpRequest, at: datetime) -> None:
    """Remember that the holder has just shown that he is who he was."""
    request.session[PROVEN] = at.isoformat()


def proven_at(request: HttpRequest) -> datetime | None:
    """When the holder last did so in this session."""
    written = request.session.get(PROVEN)
    return datetime.fromisoformat(written) if written else None
