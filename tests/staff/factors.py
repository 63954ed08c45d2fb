"""An authenticator app, as a person holds it: it knows a secret and a clock, and nothing of Demarc."""

import base64
import hashlib
import hmac
import re
import struct
import time

from django.http import HttpResponse
from django.test import Client

from demarc.staff.models import Login

KEY = re.compile(r'class="code" data-copy title="Copy">([A-Z2-7 ]{39})<')
RECOVERY = re.compile(r"<li>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})\n</li>")


class App:
    """RFC 6238, written here a second time, so that ours is not checked against itself."""

    def __init__(self, key: str) -> None:
        text = key.replace(" ", "")
        self._secret = base64.b32decode(text + "=" * (-len(text) % 8))

    def shows(self, steps_later: int = 0) -> str:
        """The code now, or some half minutes later."""
        counter = int(time.time()) // 30 + steps_later
        digest = hmac.new(self._secret, struct.pack(">Q", counter), hashlib.sha1).digest()
        at = digest[19] & 15
        return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def app_on(client: Client) -> App:
    """The page's key, typed into an app."""
    found = KEY.search(client.get("/me/login/app/").content.decode())
    assert found is not None, "the page shows no key"
    return App(found[1])


def turned_on(client: Client, owner: Login) -> tuple[App, list[str]]:
    """An app set up by this browser's person, and the recovery codes that were shown."""
    app = app_on(client)
    answer = client.post("/me/login/app/", {"code": app.shows(-1)})
    assert answer.status_code == 200, (owner, answer)
    return app, recovery_codes(answer)


def recovery_codes(answer: HttpResponse) -> list[str]:
    """The codes of the page that shows them."""
    return RECOVERY.findall(answer.content.decode())
