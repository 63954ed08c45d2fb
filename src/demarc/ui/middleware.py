"""What every answer carries: a request id, a strict content policy, and no copy in shared caches. Knows no login."""

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
)


class PageHeaders:
    """Django middleware; the id is `request.request_id`, also in the operation log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = secrets.token_hex(8)  # type: ignore[attr-defined] # Django lets a request carry more
        response = self._get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined] # set above
        response.setdefault("Content-Security-Policy", CONTENT_POLICY)
        response.setdefault("Cache-Control", "private, no-cache")
        return response
