"""One document as an A4 page for the customer: the same document gives the same bytes, while nothing of it is paid.

What is printed was kept with the document; only what is paid and open is of now. Nothing is fetched while a page is
made: texts from outside can name no file and no address.
"""

from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from django.db.models import Sum
from django.template.loader import render_to_string

from demarc.billing.models import Document, DocumentKind, DocumentLine
from demarc.billing.wording import Words
from demarc.core.errors import Refused

try:
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher
except OSError:  # its C libraries are Debian packages; all but this works without them
    weasyprint = None

PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation"
LINES_MAX = 3000
"""More lines than anyone reads on paper; the API has them all."""
_one_at_a_time = Lock()
"""Pango's font maps belong to one thread; the web has several."""
STYLE = Path(__file__).parent / "templates" / "billing" / "document_pdf.css"


def render(document_id: int) -> bytes:
    """The PDF of a document, in its customer's language.

    Refused: unknown document, too many lines for paper, the machine lacks the libraries that PDFs are made with.
    """
    document = Document.objects.select_related("partner", "corrects").filter(pk=document_id).first()
    if document is None:
        raise Refused("There is no such document.", field="document_id", code="unknown")
    if weasyprint is None:
        raise Refused(f"This machine cannot make PDFs; install {PACKAGES}.", code="no_pdf")
    html = render_to_string("billing/document_pdf.html", printed(document))
    with _one_at_a_time:
        style, fonts, fetch_nothing = _tools()
        page = weasyprint.HTML(string=html, url_fetcher=fetch_nothing)
        made: bytes = page.write_pdf(stylesheets=[style], font_config=fonts, pdf_identifier=False)
    return made


def file_name(document: Document) -> str:
    """What the file is called: "invoice-2026000001.pdf"."""
    return f"{document.kind.replace('_', '-')}-{document.number}.pdf"


def printed(document: Document) -> dict[str, Any]:
    """What the paper says, in words. Refused when it has more than LINES_MAX lines."""
    buyer = document.parties["buyer"]
    words = Words(buyer.get("language") or document.partner.language, document.currency)
    lines = list(DocumentLine.objects.filter(document=document).order_by("seq")[: LINES_MAX + 1])
    if len(lines) > LINES_MAX:
        raise Refused(f"More than {LINES_MAX} lines do not go on paper; take them over the API.", code="too_long")
    corrected = document.corrects
    return {
        "say": words.say,
        "language": words.language,
        "document": document,
        "title": words.say[document.kind],
        "seller": document.parties["seller"],
        "buyer": buyer,
        "issued": words.day(document.issued_on),
        "due": words.day(document.due_on) if document.kind == DocumentKind.INVOICE else "",
        "period": words.days(document.first_day, document.last_day),
        "corrects": words.say["corrects"].format(corrected.number, words.day(corrected.issued_on)) if corrected else "",
        "lines": [_line(line, words) for line in lines],
        "note": words.say["included" if lines and all(line.included for line in lines) else "plus"],
        "taxes": [
            (words.rate(tax.rate), words.plain(tax.net), words.plain(tax.tax))
            for tax in document.taxes.order_by("category", "rate")
        ],
        "sums": _sums(document, words),
    }


def _line(line: DocumentLine, words: Words) -> dict[str, Any]:
    return {
        "text": line.text,
        "why": words.why(line.derivation, amount=line.amount, revenue=line.revenue),
        "days": words.days(line.first_day, line.last_day),
        "rate": words.rate(line.rate),
        "amount": words.plain(line.amount),
    }


def _sums(document: Document, words: Words) -> list[tuple[str, str, bool]]:
    """The lines under the table: label, amount, whether it stands out."""
    sums = [(words.say["net"], document.net, False), (words.say["tax"], document.tax, False)]
    sums.append((words.say["gross"], document.gross, True))
    if document.kind == DocumentKind.INVOICE:
        found = document.allocations.filter(credit_note__isnull=False).aggregate(sum=Sum("amount"))
        credited = found["sum"] or 0
        paid = document.gross - document.open_amount - credited
        sums += [(words.say["paid"], -paid, False)] if paid else []
        sums += [(words.say["credited"], -credited, False)] if credited else []
        sums.append((words.say["open"], document.open_amount, True))
    return [(label, words.money(amount), strong) for label, amount, strong in sums]


@cache
def _tools() -> tuple[Any, Any, Any]:
    """Made once: the style sheet, the fonts that it names, and a fetcher to which every address is forbidden."""
    fonts = FontConfiguration()
    return weasyprint.CSS(string=STYLE.read_text(), font_config=fonts), fonts, URLFetcher(allowed_protocols=())
