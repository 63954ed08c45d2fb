"""The words that roles are made of and that every URL names one of. Knows no role and no person."""

from collections.abc import Iterable

ALL = "*"

PERMISSIONS: dict[str, str] = {
    "dashboard.see": "See the dashboard",
    "customers.see": "See customers and their services",
    "customers.edit": "Add and change customers, services, blocks",
    "money.see": "See balances, payments and the ledger",
    "money.edit": "Take payments, refund and correct",
    "plans.see": "See plans and prices",
    "plans.edit": "Add plans and change prices",
    "network.see": "See routers, pools and blocking",
    "network.edit": "Add and change routers, pools and blocking",
    "sessions.see": "See who is online and was",
    "sessions.edit": "Disconnect sessions",
    "messages.see": "See messages to customers, and the sums in them",
    "messages.edit": "Write to customers and change the texts",
    "staff.see": "See staff, roles and API tokens",
    "staff.edit": "Add and change staff, roles and API tokens",
    "log.see": "See the operation log: who did and looked at what",
    "settings.see": "See settings",
    "settings.edit": "Change settings",
}


GRANTED_WITH = {"log.see": "staff.see"}
"""Words that came later: who held the other one in the roles of before may do this, too."""


def grants(held: Iterable[str], wanted: str) -> bool:
    """Whether a role holding these words may do what `wanted` names. To edit is to see."""
    words = frozenset(held)
    room, _, verb = wanted.partition(".")
    if ALL in words or wanted in words or (verb == "see" and f"{room}.edit" in words):
        return True
    return wanted in GRANTED_WITH and grants(words, GRANTED_WITH[wanted])


def covers(held: Iterable[str], others: Iterable[str]) -> bool:
    """Whether a role holding the words `held` may do all that one holding `others` may."""
    mine = frozenset(held)
    return ALL in mine or all(word != ALL and grants(mine, word) for word in others)
