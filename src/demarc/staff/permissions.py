"""The words that roles are made of and that every URL names one of, by the parts of the system. Knows no person."""

from collections.abc import Iterable
from dataclasses import dataclass

ALL = "*"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the system. What `see` and `edit` let do, in words; empty: there is no such word."""

    name: str
    room: str
    title: str
    see: str = ""
    edit: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The words of this part, to see first."""
        return tuple(f"{self.name}.{verb}" for verb in ("see", "edit") if getattr(self, verb))


PARTS: tuple[Part, ...] = (
    Part("dashboard", "Desk", "Dashboard", "See the dashboard"),
    Part("customers", "Customers", "Customers", "See customers", "Add and change customers"),
    Part("contacts", "Customers", "Phones and e-mail", "See customers' phone numbers and e-mail addresses"),
    Part("identity", "Customers", "Papers and banks", "See customers' passports, VAT ids and bank accounts"),
    Part("services", "Customers", "Services", "See services and logins", "Add and change services and logins"),
    Part("blocks", "Customers", "Blocks by hand", "", "Block and unblock customers by hand"),
    Part("accounts", "Money", "Accounts", "See balances and what was charged, and why", "Change who pays, and how"),
    Part("terms", "Money", "Terms and own prices", "", "Change an account's terms, own prices and discounts"),
    Part("cashdesk", "Money", "Cashdesk", "", "Take payments at the cashdesk"),
    Part("payments", "Money", "Payments", "See payments", "Receive payments everywhere"),
    Part("corrections", "Money", "Refunds and corrections", "", "Refund, correct and credit"),
    Part(
        "documents",
        "Money",
        "Documents",
        "See invoices and other documents, as they were issued",
        "Bill things once, and at once",
    ),
    Part("runs", "Money", "Runs", "See runs and what is due", "Confirm and stop runs"),
    Part(
        "dunning",
        "Money",
        "Waves of blocking",
        "See debtors and waves",
        "Confirm and stop waves, change rules",
    ),
    Part("promises", "Money", "Promises and disputes", "", "Note promises to pay and disputes"),
    Part("plans", "Plans", "Plans", "See plans and prices", "Add plans and change prices"),
    Part("routers", "Network", "Routers", "See routers and RADIUS servers", "Add and change routers and their answers"),
    Part("pools", "Network", "Addresses", "See pools and shared addresses", "Change pools and shared addresses"),
    Part("blocking", "Network", "Blocking pages", "See causes and blocking pages", "Change causes and blocking pages"),
    Part("sessions", "Sessions", "Sessions", "See who is online and was, and why not", "Disconnect sessions"),
    Part("orders", "Sessions", "Orders to routers", "See what routers were told", "Tell routers again"),
    Part("trace", "Sessions", "Who had an address", "Find who had an address"),
    Part("messages", "Messages", "Messages", "See messages to customers", "Write to customers and change the texts"),
    Part("staff", "Administration", "Staff", "See staff, roles and API tokens", "Add and change staff"),
    Part("roles", "Administration", "Roles", "", "Add and change roles"),
    Part("tokens", "Administration", "API tokens", "", "Make and revoke API tokens"),
    Part("settings", "Administration", "Settings", "See settings", "Change settings"),
    Part("log", "Administration", "Operation log", "See the operation log"),
    Part("exports", "Administration", "Files", "Take lists away as files"),
)

PERMISSIONS: dict[str, str] = {f"{part.name}.{verb}": getattr(part, verb) for part in PARTS for verb in ("see", "edit")}
PERMISSIONS = {word: told for word, told in PERMISSIONS.items() if told}

INCLUDED: dict[str, tuple[str, ...]] = {
    "payments.edit": ("cashdesk.edit",),
    "customers.edit": ("contacts.see",),
}
"""What a word lets do besides: who receives payments does so at the cashdesk too; who writes addresses sees them."""


def spread(words: Iterable[str]) -> frozenset[str]:
    """All that a holder of these words may do: to edit is to see, and what is INCLUDED; ALL is everything."""
    held = frozenset(words)
    if ALL in held:
        return frozenset({ALL, *PERMISSIONS})
    included = {more for word in held for more in INCLUDED.get(word, ())}
    seen = {word.removesuffix(".edit") + ".see" for word in held if word.endswith(".edit")}
    return held | included | (seen & PERMISSIONS.keys())


def grants(held: Iterable[str], wanted: str) -> bool:
    """Whether a role holding these words may do what `wanted` names."""
    return wanted in spread(held)


def covers(held: Iterable[str], others: Iterable[str]) -> bool:
    """Whether a role holding the words `held` may do all that one holding `others` may."""
    mine = spread(held)
    return ALL in mine or spread(others) <= mine


def reason(words: Iterable[str], wanted: str) -> str:
    """The one of these words that lets do what `wanted` names; empty when none does."""
    return next((word for word in (wanted, *sorted(words)) if word in set(words) and wanted in spread([word])), "")


def overridden(words: Iterable[str], granted: Iterable[str], withdrawn: Iterable[str]) -> frozenset[str]:
    """What a person may do whose role holds `words`, with what he has besides and what was taken from him.

    What is withdrawn takes along what would bring it back: without sight there is no editing. ALL is never narrowed.
    """
    held, gone = spread(words) | spread(granted), frozenset(withdrawn)
    if ALL in held:
        return held
    return frozenset(word for word in held if not spread([word]) & gone)
