"""A provider's one colour made into all that a page needs, readable on light and on dark whatever was chosen."""

import re

LIGHT, DARK, DARK_CARD, INK = "#ffffff", "#0f141b", "#171e28", "#000000"
DEFAULT = "#0054a6"
CONTRAST_MIN = 4.5
"""WCAG 2.2, 1.4.3 (AA)."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def colours(colour: str) -> dict[str, str]:
    """What the style sheet's places stand for; a colour that is none gives the default."""
    colour = colour if _HEX.fullmatch(colour) else DEFAULT
    return {
        "fill": colour,
        "on_fill": max((LIGHT, INK), key=lambda ink: contrast(ink, colour)),
        "link": _readable(colour, "#f3f5f8", towards="#000000"),
        "dark_link": _readable(colour, DARK_CARD, towards=LIGHT),
        "tint": _mix(colour, LIGHT, 8),
        "dark_tint": _mix(colour, DARK_CARD, 16),
    }


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: str, background: str, *, towards: str) -> str:
    steps = (_mix(towards, colour, percent) for percent in range(0, 101, 5))
    return next(step for step in steps if contrast(step, background) >= CONTRAST_MIN)


def _mix(one: str, other: str, percent: int) -> str:
    """`percent` of the first colour, the rest of the second."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round((a * percent + b * (100 - percent)) / 100):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in _channels(colour))
    )
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
