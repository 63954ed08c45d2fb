"""The facts behind amounts and blocks as one says them to the customer, in his language; where it is not known here, in
English. What is our own matter, such as thresholds and limits, is not said to him."""

from collections.abc import Iterable
from datetime import date

from demarc.billing.customer_sentences import DEBTS, SENTENCES
from demarc.billing.models import Decision
from demarc.billing.queries.why import Charge, WhyBlocked, WhyDay, WhyMove
from demarc.billing.wording import Words, spoken_day
from demarc.core.dunning import Why
from demarc.core.money import Money
from demarc.customers.models import Customer

DEFAULT = "en"


class Told:
    """What one says to a customer."""

    def __init__(self, customer: Customer) -> None:
        wanted = customer.language or customer.partner.language
        self.language = wanted if wanted in SENTENCES else DEFAULT

    def debts(self, chain: Iterable[Why], currency: str) -> list[str]:
        """A sentence for each fact of a standing that concerns him."""
        known = DEBTS[self.language]
        return [
            self._fill(known[why.cause], number=why.number, day=why.day, amount=Money(why.amount or 0, currency))
            for why in chain
            if why.cause in known
        ]

    def day(self, why: WhyDay) -> list[str]:
        """Why a day was charged, blocked or free."""
        one, currency = why.decision, why.account.currency
        if why.charged:
            return [words for charge in why.charges for words in self.charge(charge, currency)]
        if one is not None and one.decision == Decision.BLOCKED and one.cost:
            key = "had" if one.balance_before >= 0 else "owed"
            amount, cost = Money(abs(one.balance_before), currency), Money(one.cost, currency)
            return [self._say(key, day=one.day, amount=amount, cost=cost)]
        return [self._say("free", day=why.day)]

    def charge(self, charge: Charge, currency: str) -> list[str]:
        """How the charge of one service came to be."""
        price = self._fill("{amount}", amount=Money(charge.price, currency))
        month = f"{charge.quantity} × {price}" if charge.quantity > 1 else price
        facts = {"plan": charge.plan, "month": month, "parts": charge.parts}
        return [self._say("charged", day=charge.day, amount=Money(charge.amount, currency), **facts)]

    def move(self, move: WhyMove) -> list[str]:
        """What a movement of his account is."""
        if move.charge is not None:
            return self.charge(move.charge, move.transfer.currency)
        facts = {"amount": Money(abs(move.amount), move.transfer.currency), "day": move.transfer.day}
        if move.document is not None:
            return [self._say(move.document.kind, number=move.document.number, **facts)]
        if move.payment is not None:
            return [self._say("received" if move.amount > 0 else "gave_back", **facts)]
        return [self._say("up" if move.amount > 0 else "down", **facts)]

    def block(self, found: WhyBlocked) -> list[str]:
        """Why there is no access. Where staff blocked him too, no payment is promised to help."""
        if found.service is not None:
            return [self._say(found.service.state, plan=str(found.service.plan), day=found.since)]
        if found.block is None or found.block.account_id is None:
            return [self._say("by_us", day=found.since)]
        told = self.day(found.day) if found.day else []
        if found.standing is not None:
            told = self.debts(found.standing.why, found.currency)
        return told if found.by_staff else [*told, self._say("returns", amount=Money(found.owed, found.currency))]

    def _say(self, key: str, **facts: object) -> str:
        return self._fill(SENTENCES[self.language][key], **facts)

    def _fill(self, sentence: str, **facts: object) -> str:
        return sentence.format(**{name: self._word(fact) for name, fact in facts.items()})

    def _word(self, fact: object) -> str:
        if isinstance(fact, Money):
            return Words(self.language, fact.currency).money(fact.amount)
        return spoken_day(fact, self.language) if isinstance(fact, date) else str(fact)
