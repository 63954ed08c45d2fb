"""Weekends and public holidays of a country. Knows no account and no rule."""

from functools import lru_cache

import holidays

from demarc.core.dunning import DaysOff

NOWHERE = DaysOff()
"""Where no country is named: Saturday and Sunday."""


def countries() -> dict[str, str]:
    """The countries whose holidays are known, by ISO 3166 code: their names."""
    return {code: _words(name) for code, name in _known().items()}


@lru_cache(maxsize=64)
def days_off(country: str, year: int) -> DaysOff:
    """The days off of a country from the year before `year` to the year after it; of none, plain weekends."""
    if country not in _known():
        return NOWHERE
    calendar = holidays.country_holidays(country, years=range(year - 1, year + 2))
    return DaysOff(frozenset(calendar.weekend), frozenset(calendar))


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    found: dict[str, str] = {}
    for names in holidays.registry.COUNTRIES.values():
        found.setdefault(str(names[1]), str(names[0]))
    return found


def _words(name: str) -> str:
    """ "UnitedStates" -> "United States"."""
    return "".join(f" {letter}" if letter.isupper() else letter for letter in name).strip()
