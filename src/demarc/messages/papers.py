"""Documents as files that hang on messages: billing's PDF, of the provider who sends it."""

from demarc.billing.models import Document
from demarc.billing.pdf import render
from demarc.core.errors import Refused
from demarc.messages.attachments import Attachment


def document(document_id: int, partner_id: int) -> Attachment:
    """The PDF of a document. Refused: there is none of that id at that provider, or none can be made here."""
    found = Document.objects.filter(pk=document_id, partner_id=partner_id).first()
    if found is None:
        raise Refused("There is no such document.", field="document_id", code="unknown")
    return Attachment(f"{found.number}.pdf", "application/pdf", render(document_id))
