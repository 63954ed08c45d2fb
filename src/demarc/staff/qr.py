"""A QR code as the path of an inline SVG: nothing is fetched from anywhere, nothing is kept."""

from dataclasses import dataclass

from qrcode.main import QRCode

QUIET = 4
"""Light modules around the code (ISO/IEC 18004 section 9.1)."""


@dataclass(frozen=True, slots=True)
class Qr:
    """`size` is the edge in modules, `path` the dark ones as SVG path data."""

    size: int
    path: str


def qr(text: str) -> Qr:
    """The code of a text."""
    code = QRCode(border=QUIET)
    code.add_data(text)
    matrix = code.get_matrix()
    dark = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix) for x, cell in enumerate(row) if cell]
    return Qr(len(matrix), "".join(dark))
