"""What customers are told: the kinds of messages, what each may say, and how long it is worth saying.

Plain tables; no database. Another room adds a kind here, its shipped texts in texts/*.toml, and what makes it untrue
in messages.checks.
"""

from dataclasses import dataclass, field
from datetime import timedelta

MONEY, DAY, NUMBER, TEXT = "money", "day", "number", "text"
MAIL, SMS = "mail", "sms"
CHANNELS = (MAIL, SMS)
CHANNEL_NAMES = {MAIL: "E-mail", SMS: "SMS"}


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that texts may use. `sort`: money (core.money.Money), day (date), number (int) or text (str); each is
    written in the customer's language. `sample` is shown where no customer is at hand."""

    name: str
    sort: str
    words: str
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message. After `lives` it is too late to send it. `quiet`: it keeps the quiet hours."""

    name: str
    words: str
    variables: tuple[Variable, ...] = ()
    lives: timedelta = timedelta(days=3)
    quiet: bool = True
    templated: bool = True
    channels: tuple[str, ...] = field(default=(MAIL,))
    """The channels it goes by until somebody chooses others."""

    @property
    def names(self) -> dict[str, Variable]:
        """All that its texts may name, in the order to show them."""
        return {variable.name: variable for variable in (*self.variables, *EVERYWHERE)}


EVERYWHERE = (
    Variable("customer_name", TEXT, "The customer's name"),
    Variable("customer_number", TEXT, "The customer's number"),
    Variable("account_number", TEXT, "The number of the account that pays"),
    Variable("provider_name", TEXT, "Your name"),
    Variable("provider_phone", TEXT, "Your phone number"),
    Variable("provider_email", TEXT, "Your e-mail address"),
    Variable("provider_website", TEXT, "Your website"),
)
_STANDING = (
    Variable("owed", MONEY, "What the account owes now, if it owes"),
    Variable("credit", MONEY, "What the account has to its credit now, if it has", "12.40"),
    Variable(
        "balance", MONEY, "The balance as a number, with a minus when it owes; better say owed and credit", "12.40"
    ),
)
_PAID_UNTIL = Variable("paid_until", DAY, "The last day that the balance pays for, if it is known", "8")
_DOCUMENT = (
    Variable("number", TEXT, "The invoice's number", "2026-000123"),
    Variable("amount", MONEY, "What is to be paid", "29.90"),
    Variable("due_on", DAY, "Until when", "14"),
)

INVOICE_CREATED = Kind(
    "invoice_created",
    "An invoice was made",
    (*_DOCUMENT, Variable("issued_on", DAY, "The invoice's date", "0")),
    lives=timedelta(days=14),
)
PAYMENT_RECEIVED = Kind(
    "payment_received",
    "A payment was received",
    (
        Variable("amount", MONEY, "What was paid", "20.00"),
        Variable("received_on", DAY, "When", "0"),
        Variable("number", TEXT, "The payment's number", "000042"),
        *_STANDING,
        _PAID_UNTIL,
    ),
)
OVERDUE = Kind(
    "overdue",
    "An invoice is overdue",
    (*_DOCUMENT, Variable("days", NUMBER, "How many days it is overdue", "5")),
)
SERVICE_ON_HOLD = Kind(
    "service_on_hold",
    "The service is on hold for money",
    (Variable("amount", MONEY, "The least payment that opens it", "7.60"), *_STANDING),
    lives=timedelta(days=2),
)
SERVICE_RESTORED = Kind(
    "service_restored", "The service is on again", (*_STANDING, _PAID_UNTIL), lives=timedelta(days=1)
)
RUNNING_LOW = Kind(
    "running_low",
    "The prepaid balance is running low",
    (Variable("days", NUMBER, "For how many more days it lasts", "3"), _PAID_UNTIL, *_STANDING),
    lives=timedelta(days=1),
)
REMINDER = Kind("reminder", "A reminder to pay", (*_DOCUMENT, Variable("step", NUMBER, "Which reminder", "1")))
NOTE = Kind("note", "Written by staff", lives=timedelta(days=7), quiet=False, templated=False)
TEST = Kind("test", "A test of the settings", lives=timedelta(hours=1), quiet=False, templated=False)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        INVOICE_CREATED,
        PAYMENT_RECEIVED,
        OVERDUE,
        REMINDER,
        SERVICE_ON_HOLD,
        SERVICE_RESTORED,
        RUNNING_LOW,
        NOTE,
        TEST,
    )
}
TEMPLATED = {name: kind for name, kind in KINDS.items() if kind.templated}
