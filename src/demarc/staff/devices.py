"""Which browser on which system it was, in words. Whatever a browser says of itself, only words of ours come out."""

BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
"""Marks of the User-Agent header, the telling ones first: most browsers also call themselves Chrome and Safari."""

SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_words(user_agent: str) -> str:
    """ "Firefox on Linux"; "An unknown browser" where nothing is recognised."""
    browser = next((word for mark, word in BROWSERS if mark in user_agent), "An unknown browser")
    system = next((f" on {word}" for mark, word in SYSTEMS if mark in user_agent), "")
    return browser + system
