"""Messages over the API: what was sent, a new one, a text tried out, and how a provider sends. No secret comes back."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from demarc.base import clock
from demarc.base.models import Partner
from demarc.customers.models import Customer
from demarc.messages import actions, queries
from demarc.messages.models import BodyForm, Channel, MailServer, Message, Method, Rules, Security, SmsGateway, State
from demarc.messages.queries import recipient_shown
from demarc.messages.shipped import Text
from demarc.staff import masks
from demarc.staff.apidoor import Token, actor_of, one, scope, seen, words
from demarc.staff.apiforms import (
    Filter,
    Flag,
    Id,
    Input,
    Key,
    Listing,
    Page,
    Search,
    Whole,
    answered_once,
    given,
    private_listing,
)

router = Router(tags=["messages"])

ChannelWord = Literal["mail", "sms"]


class MessageSearch(Page):
    """Which messages; `q` is a part of a customer's name, his number, an address or a subject."""

    q: Search = ""
    customer_id: Filter | None = None
    state: State | None = None


class MessageOut(Schema):
    """A message to one customer by one channel. `trouble`: why it was not sent."""

    id: int
    public_id: UUID
    partner_id: int
    customer_id: int | None
    account_id: int | None
    kind: str
    channel: Channel
    language: str
    recipient: str
    subject: str
    text: str
    state: State
    attempts: int
    trouble: str
    created_at: datetime
    not_before: datetime
    ended_at: datetime | None

    @staticmethod
    def resolve_recipient(message: Message, context: Any) -> str:
        return recipient_shown(message, words(context["request"]))


class MessageIn(Input):
    """Your own words to a customer; an SMS has no subject."""

    customer_id: Id
    text: str
    channel: ChannelWord = "mail"
    subject: str = ""


class PreviewIn(Input):
    """A text to try out; without `language` in the customer's own."""

    customer_id: Id
    message_kind: str
    text: str
    channel: ChannelWord = "mail"
    subject: str = ""
    html: str = ""
    language: Literal["", "en", "es", "de", "fr", "pt", "cs", "ru"] = ""


class PreviewOut(Schema):
    """A text as the customer would read it."""

    subject: str
    text: str
    html: str


class MailServerIn(Input):
    """How mail leaves; left out, a field stays. The password is sealed and never told again."""

    host: str
    from_address: str
    port: Whole = 587
    security: Security = Security.STARTTLS
    username: str = ""
    password: str = ""
    from_name: str = ""
    reply_to: str = ""


class MailServerOut(Schema):
    """How mail leaves; without a host it does not yet."""

    host: str
    port: int
    security: Security
    username: str
    has_password: bool
    from_name: str
    from_address: str
    reply_to: str

    @staticmethod
    def resolve_has_password(row: MailServer) -> bool:
        return row.password is not None


class SmsGatewayIn(Input):
    """How SMS leave; left out, a field stays. {to} {text} {from} {id} {token} are filled in."""

    url: str
    method: Method = Method.POST
    headers: str = ""
    body_form: BodyForm = BodyForm.FORM
    body: str = ""
    sender: str = ""
    token: str = ""
    success_text: str = ""
    loopback: Flag = False


class SmsGatewayOut(Schema):
    """How SMS leave; without a URL they do not yet."""

    url: str
    method: Method
    headers: str
    body_form: BodyForm
    body: str
    sender: str
    has_token: bool
    success_text: str
    loopback: bool

    @staticmethod
    def resolve_has_token(row: SmsGateway) -> bool:
        return row.token is not None


class RulesIn(Input):
    """What customers are told and when; left out, a field stays."""

    dry_run: Flag = True
    quiet_mail: Flag = False
    quiet_sms: Flag = True
    low_days: Whole = 3
    low_hour: Whole = 10


class RulesOut(Schema):
    """What customers are told and when. In a dry run messages are written down and nothing leaves."""

    dry_run: bool
    quiet_mail: bool
    quiet_sms: bool
    low_days: int
    low_hour: int


@router.get(
    "/messages", auth=Token("messages.see"), response=Listing[MessageOut], summary="Messages to customers, newest first"
)
def messages(request: HttpRequest, search: Query[MessageSearch]) -> dict[str, Any]:
    columns = {"customer_id": search.customer_id, "state": search.state}
    wanted = {name: value for name, value in columns.items() if value is not None}
    rows = queries.message_list(
        scope(request), text=search.q, contacts=masks.readable("email", words(request)), **wanted
    )
    return private_listing(request, "messages", rows, search)


@router.post("/messages", auth=Token("messages.edit"), response={201: MessageOut}, summary="Write to a customer")
def write_message(request: HttpRequest, payload: MessageIn, idempotency_key: Key) -> HttpResponse:
    customer = one(request, Customer.objects.all(), payload.customer_id, "customer", field="customer_id")

    def make(key: str) -> MessageOut:
        said = Text(payload.subject, payload.text)
        message = actions.write_note(
            customer.pk, channel=payload.channel, said=said, key=key, by=actor_of(request), at=clock.now()
        )
        return MessageOut.from_orm(message, context={"request": request})

    return answered_once(request, idempotency_key, payload, make)


@router.post(
    "/messages/preview", auth=Token("messages.edit"), response=PreviewOut, summary="A text as a customer would read it"
)
def preview_message(request: HttpRequest, payload: PreviewIn) -> Any:
    customer = one(
        request, Customer.objects.select_related("partner"), payload.customer_id, "customer", field="customer_id"
    )
    seen(request, customer.pk, customer.partner_id, "message_preview")
    text = Text(payload.subject, payload.text, payload.html)
    kind = queries.templated(payload.message_kind, field="message_kind")
    return queries.preview(customer, kind, payload.channel, text, language=payload.language, at=clock.now())


@router.get("/messages/{message_id}", auth=Token("messages.see"), response=MessageOut, summary="A message")
def message(request: HttpRequest, message_id: int) -> Message:
    found = one(request, Message.objects.all(), message_id, "message")
    if found.customer_id:
        seen(request, found.customer_id, found.partner_id, "message")
    return found


@router.post(
    "/messages/{message_id}/resend",
    auth=Token("messages.edit"),
    response={201: MessageOut},
    summary="The same words again, to the customer's present address",
)
def resend_message(request: HttpRequest, message_id: int, idempotency_key: Key) -> HttpResponse:
    one(request, Message.objects.all(), message_id, "message")

    def make(key: str) -> MessageOut:
        again = actions.resend(message_id, key=key, by=actor_of(request), at=clock.now())
        return MessageOut.from_orm(again, context={"request": request})

    return answered_once(request, idempotency_key, Schema(), make)


@router.get(
    "/partners/{partner_id}/message-rules",
    auth=Token("settings.see"),
    response=RulesOut,
    summary="What a provider's customers are told, and when",
)
def message_rules(request: HttpRequest, partner_id: int) -> Rules:
    return queries.rules_of([_partner(request, partner_id).pk])[partner_id]


@router.put(
    "/partners/{partner_id}/message-rules",
    auth=Token("settings.edit"),
    response=RulesOut,
    summary="Change what customers are told, and when",
)
def set_message_rules(request: HttpRequest, partner_id: int, payload: RulesIn) -> Rules:
    _partner(request, partner_id)
    return actions.set_rules(partner_id, by=actor_of(request), at=clock.now(), **given(payload))


@router.get(
    "/partners/{partner_id}/mail-server",
    auth=Token("settings.see"),
    response=MailServerOut,
    summary="How a provider's mail leaves",
)
def mail_server(request: HttpRequest, partner_id: int) -> MailServer:
    partner = _partner(request, partner_id)
    return MailServer.objects.filter(partner=partner).first() or MailServer(partner=partner)


@router.put(
    "/partners/{partner_id}/mail-server",
    auth=Token("settings.edit"),
    response=MailServerOut,
    summary="Set up how a provider's mail leaves",
)
def save_mail_server(request: HttpRequest, partner_id: int, payload: MailServerIn) -> MailServer:
    _partner(request, partner_id)
    return actions.save_mail_server(partner_id, by=actor_of(request), at=clock.now(), **given(payload))


@router.get(
    "/partners/{partner_id}/sms-gateway",
    auth=Token("settings.see"),
    response=SmsGatewayOut,
    summary="How a provider's SMS leave",
)
def sms_gateway(request: HttpRequest, partner_id: int) -> SmsGateway:
    partner = _partner(request, partner_id)
    return SmsGateway.objects.filter(partner=partner).first() or SmsGateway(partner=partner)


@router.put(
    "/partners/{partner_id}/sms-gateway",
    auth=Token("settings.edit"),
    response=SmsGatewayOut,
    summary="Set up how a provider's SMS leave",
)
def save_sms_gateway(request: HttpRequest, partner_id: int, payload: SmsGatewayIn) -> SmsGateway:
    _partner(request, partner_id)
    return actions.save_sms_gateway(partner_id, by=actor_of(request), at=clock.now(), **given(payload))


def _partner(request: HttpRequest, partner_id: int) -> Partner:
    return one(request, Partner.objects.all(), partner_id, "partner", key="id")
