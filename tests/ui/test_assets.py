"""What the pages load is there: every icon that is used is listed, and every static file is named rightly."""

import re
from pathlib import Path

from django.contrib.staticfiles import finders

from demarc.project import wiring
from demarc.ui import components

SOURCE = Path(__file__).parent.parent.parent / "src" / "demarc"
LISTED = set((SOURCE / "ui" / "icons.txt").read_text().split())


def test_every_icon_that_a_page_names_is_in_the_sprite():
    templates = {
        name for path in SOURCE.rglob("*.html") for name in re.findall(r'{% icon "([\w-]+)" %}', path.read_text())
    }
    shapes = {shape for _, shape in components.TONES.values()}
    menu = {entry.icon for entry in wiring.MENU}
    assert (templates | shapes | menu) - LISTED == set()


def test_every_file_that_a_page_names_exists():
    names = {
        name
        for path in SOURCE.rglob("*.html")
        for name in re.findall(r'{% (?:asset|static) "([^"]+)" %}', path.read_text())
    }
    assert names
    assert {name for name in names if not finders.find(name)} == set()


def test_no_page_carries_a_script_or_a_style_of_its_own():
    pages = list(SOURCE.glob("*/templates/**/*.html"))
    assert pages
    for path in pages:
        text = path.read_text()
        assert not re.search(r"<script(?![^>]* src=)", text), path
        assert not re.search(r"\s(style|on\w+)=", text), path
        assert "<style" not in text, path
