"""The viewer's choice of light or dark, which the browser keeps in a cookie so that no page flashes."""

from django.http import HttpRequest

THEME_COOKIE = "demarc_theme"


def theme(request: HttpRequest) -> dict[str, str]:
    """Context processor: `theme` is light, dark, or empty to follow the system."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return {"theme": chosen if chosen in ("light", "dark") else ""}
