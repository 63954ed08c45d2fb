"""The table of attributes against others' tables, and the constants against the table."""

import re
from pathlib import Path

import pytest

from demarc.wire import radius

FREERADIUS = Path("/usr/share/freeradius")
FILES = [
    *(f"rfc{number}" for number in (2865, 2866, 2867, 2868, 2869, 3162, 3576, 4372, 4679, 4818, 5176, 6911)),
    "cisco",
    "microsoft",
    "mikrotik",
    "roaringpenguin",
    "wispr",
]
TYPES = {
    "string": {"text", "octets"},  # FreeRADIUS has printable strings where an RFC has octets
    "octets": {"octets", "text"},
    "integer": {"integer"},
    "ipaddr": {"ipv4"},
    "ipv6addr": {"ipv6"},
    "ipv6prefix": {"ipv6prefix"},
    "ifid": {"ifid"},
    "date": {"date"},
    "vsa": {"octets"},
}


def freeradius_attributes():
    """Name, key, type and tag of what FreeRADIUS knows in these files."""
    vendors = {}
    for file in FILES:
        vendor = 0
        for line in (FREERADIUS / f"dictionary.{file}").read_text(errors="replace").splitlines():
            words = line.split("#")[0].split()
            if words[:1] == ["VENDOR"]:
                vendors[words[1]] = int(words[2])
            elif words[:1] == ["BEGIN-VENDOR"]:
                vendor = vendors[words[1]]
            elif words[:1] == ["ATTRIBUTE"] and words[2].isdigit():
                kind = re.sub(r"\[\d+\]", "", words[3])
                key = (vendor, int(words[2])) if vendor else int(words[2])
                yield words[1], key, kind, "has_tag" in line


@pytest.mark.skipif(not FREERADIUS.exists(), reason="FreeRADIUS's dictionaries are not installed")
def test_names_numbers_and_types_are_those_of_freeradius():
    theirs = {}
    for name, key, kind, tagged in freeradius_attributes():
        theirs.setdefault(key, []).append((name, kind, tagged))
    for attribute in radius.BY_NAME.values():
        if isinstance(attribute.key, tuple) and attribute.key[0] == radius.keys.REDBACK:
            continue  # it has none
        same = [entry for entry in theirs[attribute.key] if entry[0] == attribute.name]
        assert same, f"{attribute.name} is {theirs[attribute.key]}"
        _, kind, tagged = same[0]
        assert attribute.kind in TYPES[kind], attribute
        assert attribute.tagged is tagged, attribute


def test_every_constant_is_in_the_table_under_its_own_name():
    names = {attribute.name.upper().replace("-", "_"): attribute.key for attribute in radius.BY_NAME.values()}
    codes = {name.upper().replace("-", "_") for name in radius.CODE_NAMES.values()}
    vendors = {"CISCO", "MICROSOFT", "ADSL_FORUM", "REDBACK", "WISPR", "MIKROTIK"}
    constants = {name: key for name, key in vars(radius.keys).items() if name.isupper() and name != "CODE_NAMES"}
    for name, key in constants.items():
        if name not in codes | vendors:
            assert names[name] == key
    assert {constants[name]: name for name in codes} == {
        code: name.upper().replace("-", "_") for code, name in radius.CODE_NAMES.items()
    }


def test_names_and_numbers_are_unique():
    assert len(radius.BY_NAME) == len(radius.BY_KEY) > 150


def test_named_values_are_of_integer_attributes():
    for name, values in radius.VALUE_NAMES.items():
        assert radius.BY_NAME[name].kind == "integer"
        assert len(set(values.values())) == len(values)
