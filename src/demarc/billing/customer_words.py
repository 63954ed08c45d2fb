"""The facts behind amounts and blocks as one says them to the customer, in his language; where it is not known here, in
English. What is our own matter, such as thresholds and limits, is not said to him."""

from collections.abc import Iterable
from datetime import date

from demarc.billing.models import Decision
from demarc.billing.queries.why import Charge, WhyBlocked, WhyDay, WhyMove
from demarc.billing.wording import Words, spoken_day
from demarc.core.dunning import Cause, Why
from demarc.core.money import Money
from demarc.customers.models import Customer

DEFAULT = "en"

DEBTS: dict[str, dict[Cause, str]] = {
    "en": {
        Cause.OVERDUE: "Your invoice {number} was due on {day}; {amount} is not paid yet.",
        Cause.NOT_YET: "Your invoice {number} has {amount} open.",
        Cause.DISPUTED: "We are looking into your invoice {number}; you need not pay it before that is settled.",
        Cause.ONE_TIME: "Your invoice {number} has {amount} open.",
        Cause.NOTHING_OPEN: "All your invoices are paid.",
        Cause.PROMISED: "You promised to pay; you are online until the end of {day}.",
        Cause.BLOCKED: "Your internet access has been paused since {day}. It returns as soon as your payment arrives.",
        Cause.BLOCKS: "Your internet access will be paused on {day} if we receive no payment.",
        Cause.DEACTIVATES: "Your contract's services end on {day} if we receive no payment.",
        Cause.DEACTIVATED: "Your services have been stopped. They are taken up again when your payment arrives.",
    },
    "es": {
        Cause.OVERDUE: "Su factura {number} venció el {day}; quedan {amount} por pagar.",
        Cause.NOT_YET: "Su factura {number} tiene {amount} por pagar.",
        Cause.DISPUTED: "Estamos revisando su factura {number}; no tiene que pagarla hasta que eso se aclare.",
        Cause.ONE_TIME: "Su factura {number} tiene {amount} por pagar.",
        Cause.NOTHING_OPEN: "Todas sus facturas están pagadas.",
        Cause.PROMISED: "Prometió pagar; tiene conexión hasta el final del {day}.",
        Cause.BLOCKED: "Su acceso a internet está suspendido desde el {day}. Vuelve en cuanto llegue su pago.",
        Cause.BLOCKS: "Su acceso a internet se suspenderá el {day} si no recibimos su pago.",
        Cause.DEACTIVATES: "Los servicios de su contrato terminan el {day} si no recibimos su pago.",
        Cause.DEACTIVATED: "Sus servicios están detenidos. Se reanudan cuando llegue su pago.",
    },
}

SENTENCES: dict[str, dict[str, str]] = {
    "en": {
        "charged": "For {day} we charged {amount} for {plan}: one day of your {month} a month of {parts} parts.",
        "had": "On {day} you had {amount} left, and a day costs {cost}, so your access was paused.",
        "owed": "On {day} you owed {amount}, and a day costs {cost}, so your access was paused.",
        "free": "For {day} we charged nothing.",
        "invoice": "{amount} belong to invoice {number} of {day}.",
        "credit_note": "{amount} belong to credit note {number} of {day}.",
        "received": "We received {amount} on {day}.",
        "gave_back": "We gave back {amount} on {day}.",
        "up": "On {day} your balance was put up by {amount}.",
        "down": "On {day} your balance was put down by {amount}.",
        "paused": "Your {plan} is paused from {day} on.",
        "stopped": "Your {plan} is stopped from {day} on.",
        "ended": "Your {plan} has ended from {day} on.",
        "by_us": "We have paused your internet access on {day}. Please call us.",
        "returns": "Your access returns within seconds when {amount} arrive.",
    },
    "es": {
        "charged": "Por el {day} cobramos {amount} de {plan}: un día de sus {month} al mes, que tiene {parts} partes.",
        "had": "El {day} le quedaban {amount} y un día cuesta {cost}; por eso se suspendió su acceso.",
        "owed": "El {day} debía {amount} y un día cuesta {cost}; por eso se suspendió su acceso.",
        "free": "Por el {day} no cobramos nada.",
        "invoice": "{amount} son de la factura {number} del {day}.",
        "credit_note": "{amount} son de la factura rectificativa {number} del {day}.",
        "received": "Recibimos {amount} el {day}.",
        "gave_back": "Devolvimos {amount} el {day}.",
        "up": "El {day} su saldo se aumentó en {amount}.",
        "down": "El {day} su saldo se redujo en {amount}.",
        "paused": "Su {plan} está en pausa desde el {day}.",
        "stopped": "Su {plan} está detenido desde el {day}.",
        "ended": "Su {plan} terminó el {day}.",
        "by_us": "Suspendimos su acceso a internet el {day}. Llámenos, por favor.",
        "returns": "Su acceso vuelve en unos segundos cuando lleguen {amount}.",
    },
}


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
