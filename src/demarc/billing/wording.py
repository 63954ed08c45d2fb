"""The words of documents in the seven languages of customers: labels, dates, amounts, and why a line is what it is.

Pages for staff use the English ones. Knows no database and no layout.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from babel.dates import format_date
from babel.numbers import format_decimal

from demarc.core.money import CURRENCIES, Money, format_plain
from demarc.core.recurring import Line

NBSP = "\N{NO-BREAK SPACE}"
DEFAULT = "en"
ONCE = "one_time"
"""The category of revenue of what is billed once."""
DATES = {"en": "en_GB"}
"""Where dates are written as in another variety of the language: 21 Oct 2024 is read the same everywhere."""

_KEYS = """
    invoice credit_note proforma number issued due period to customer account corrects description days amount net tax
    gross rate paid credited open included plus month months part_days at discount off credit settled given
"""
KEYS = tuple(_KEYS.split())

LABELS: dict[str, dict[str, str]] = {
    language: dict(zip(KEYS, words.strip().split("|"), strict=True))
    for language, words in {
        "en": "Invoice|Credit note|Proforma|Number|Date|Due|Period|To|Customer|Account|Corrects invoice {} of {}|"
        "Description|Period|Amount|Net|Tax|Total|Rate|Paid|Credited|Open|Amounts include tax|Amounts without tax|"
        "month|months|{} of {} days|at|less {}|less {} a month|Credit of what was billed before|"
        "Settled with what is owed, else it stays on the account|Credit",
        "es": "Factura|Factura rectificativa|Proforma|Número|Fecha|Vencimiento|Periodo|Para|Cliente|Cuenta|"
        "Rectifica la factura {} del {}|Concepto|Periodo|Importe|Base|Impuesto|Total|Tipo|Pagado|Abonado|Pendiente|"
        "Importes con impuestos incluidos|Importes sin impuestos|mes|meses|{} de {} días|a|"
        "menos {}|menos {} al mes|Abono de lo facturado antes|"
        "Se compensa con lo pendiente; el resto queda en la cuenta|Abono",
        "de": "Rechnung|Gutschrift|Proforma|Nummer|Datum|Fällig am|Zeitraum|An|Kunde|Konto|"
        "Berichtigt Rechnung {} vom {}|Beschreibung|Zeitraum|Betrag|Netto|Steuer|Gesamt|Satz|Bezahlt|Gutgeschrieben|"
        "Offen|Beträge einschließlich Steuer|Beträge ohne Steuer|Monat|Monate|{} von {} Tagen|zu|"
        "abzüglich {}|abzüglich {} im Monat|Gutschrift für zuvor Berechnetes|"
        "Wird mit Offenem verrechnet, sonst bleibt es auf dem Konto|Gutschrift",
        "fr": "Facture|Avoir|Proforma|Numéro|Date|Échéance|Période|À|Client|Compte|Corrige la facture {} du {}|"
        "Désignation|Période|Montant|HT|Taxe|Total|Taux|Payé|Crédité|Reste dû|Montants taxes comprises|"
        "Montants hors taxes|mois|mois|{} jours sur {}|à|moins {}|moins {} par mois|"
        "Avoir sur ce qui a été facturé|Imputé sur les sommes dues, sinon laissé sur le compte|Avoir",
        "pt": "Fatura|Nota de crédito|Proforma|Número|Data|Vencimento|Período|Para|Cliente|Conta|"
        "Retifica a fatura {} de {}|Descrição|Período|Valor|Base|Imposto|Total|Taxa|Pago|Creditado|Em aberto|"
        "Valores com imposto incluído|Valores sem imposto|mês|meses|{} de {} dias|a|"
        "menos {}|menos {} por mês|Crédito do que foi faturado antes|"
        "Abatido ao que está em dívida; o resto fica na conta|Crédito",
        "cs": "Faktura|Dobropis|Proforma|Číslo|Datum|Splatnost|Období|Odběratel|Zákazník|Účet|"
        "Opravuje fakturu {} ze dne {}|Popis|Období|Částka|Základ|Daň|Celkem|Sazba|Zaplaceno|Dobropisováno|"
        "Zbývá uhradit|Částky včetně daně|Částky bez daně|měs.|měs.|{} z {} dní|po|"
        "sleva {}|sleva {} měsíčně|Dobropis dříve účtovaného|Započte se na dlužné, zbytek zůstává na účtu|"
        "Dobropis",
        "ru": "Счёт|Кредит-нота|Проформа|Номер|Дата|Срок оплаты|Период|Кому|Клиент|Лицевой счёт|"
        "Исправляет счёт {} от {}|Описание|Период|Сумма|Без налога|Налог|Итого|Ставка|Оплачено|Зачтено|К оплате|"
        "Суммы включают налог|Суммы без налога|мес.|мес.|{} из {} дней|по|"
        "скидка {}|скидка {} в месяц|Возврат начисленного ранее|"
        "Засчитывается в долг, остаток остаётся на счёте|Возврат",
    }.items()
}


class Month(NamedTuple):
    """A billed month of a line's derivation, as DocumentLine keeps it."""

    first: date
    days: int
    of_days: int
    price: int
    quantity: int
    percent: int
    fixed: int
    amount: int

    @classmethod
    def read(cls, row: Sequence[Any]) -> "Month":
        """From the JSON of a line."""
        return cls(date.fromisoformat(row[0]), *row[1:8])

    @property
    def whole(self) -> bool:
        return self.days == self.of_days


def spoken_day(value: date, language: str) -> str:
    """A date as it is written in a language that is known here, in figures and short words."""
    return format_date(value, "medium", locale=DATES.get(language, language))


def derivation(line: Line) -> list[list[Any]]:
    """The chain of facts behind a line's amount, as DocumentLine keeps it and Words.why tells it."""
    return [
        [
            segment.first.isoformat(),
            (segment.last - segment.first).days + 1,
            segment.of_days,
            *segment.basis[2:],
            segment.amount,
            segment.service_fact_id,
            segment.price_fact_id,
        ]
        for segment in line.segments
    ]


class Words:
    """How one language says it; an unknown language is English."""

    def __init__(self, language: str, currency: str) -> None:
        self.language = language if language in LABELS else DEFAULT
        self.currency = currency
        self.say = LABELS[self.language]
        digits = CURRENCIES[currency].digits
        self._pattern = "#,##0" + ("." + "0" * digits if digits else "")

    def plain(self, amount: int) -> str:
        """An amount without its currency: "1,234.50", with a true minus sign."""
        written = format_decimal(format_plain(Money(abs(amount), self.currency)), self._pattern, locale=self.language)
        return f"{'−' if amount < 0 else ''}{written}"

    def money(self, amount: int) -> str:
        """An amount with its currency."""
        return f"{self.plain(amount)}{NBSP}{self.currency}"

    def day(self, value: date) -> str:
        """A date as it is written there, in figures and short words."""
        return spoken_day(value, self.language)

    def days(self, first: date, last: date) -> str:
        """From a day to a day; one day alone."""
        return self.day(first) if first == last else f"{self.day(first)} – {self.day(last)}"

    def rate(self, rate: Decimal) -> str:
        """0.21 -> "21 %"."""
        return f"{format_decimal(rate * 100, '#,##0.####', locale=self.language)}{NBSP}%"

    def why(self, derivation: Iterable[Sequence[Any]], *, amount: int, revenue: str) -> list[str]:
        """How a line's amount came to be: "12 of 31 days at 100.00", "3 months at 40.00 less 10 %". What is given once
        says by its own text what it is for."""
        months = [Month.read(row) for row in derivation]
        if not months:
            return [self.say["given" if revenue == ONCE else "credit"]] if amount < 0 else []
        told: list[str] = []
        for same in _alike(months):
            one = same[0]
            if one.whole:
                count = f"{len(same)}{NBSP}{self.say['month' if len(same) == 1 else 'months']}"
            else:
                count = self.say["part_days"].format(one.days, one.of_days)
            told.append(f"{count} {self.say['at']} {self.plain(one.price)}{self._less(one)}")
        return told

    def _less(self, month: Month) -> str:
        words = f" × {month.quantity}" if month.quantity > 1 else ""
        if month.percent:
            words += ", " + self.say["discount"].format(self.rate(Decimal(month.percent) / 10_000))
        if month.fixed:
            words += ", " + self.say["off"].format(self.plain(month.fixed))
        return words


def _alike(months: Sequence[Month]) -> list[list[Month]]:
    """Whole months at one price together, one after the other; each part of a month alone."""
    groups: list[list[Month]] = []
    for month in months:
        last = groups[-1] if groups else None
        if last and month.whole and last[-1].whole and last[-1][3:7] == month[3:7]:
            last.append(month)
        else:
            groups.append([month])
    return groups


FEES: dict[str, dict[str, str]] = {
    "setup": {
        "en": "Setup fee", "es": "Alta", "de": "Einrichtungsgebühr", "fr": "Frais de mise en service",
        "pt": "Taxa de instalação", "cs": "Zřizovací poplatek", "ru": "Плата за подключение",
    },
    "change": {
        "en": "Fee for the change of plan", "es": "Cambio de tarifa", "de": "Gebühr für den Tarifwechsel",
        "fr": "Frais de changement d’offre", "pt": "Taxa de mudança de plano", "cs": "Poplatek za změnu tarifu",
        "ru": "Плата за смену тарифа",
    },
    "cancellation": {
        "en": "Fee for ending early", "es": "Penalización por baja anticipada", "de": "Gebühr für vorzeitiges Ende",
        "fr": "Frais de résiliation anticipée", "pt": "Penalização por rescisão antecipada",
        "cs": "Poplatek za předčasné ukončení", "ru": "Плата за досрочное прекращение",
    },
    "reactivation": {
        "en": "Reactivation fee", "es": "Reactivación", "de": "Reaktivierungsgebühr", "fr": "Frais de réactivation",
        "pt": "Taxa de reativação", "cs": "Poplatek za obnovení", "ru": "Плата за возобновление",
    },
}  # fmt: skip


def fee_words(kind: str, language: str) -> str:
    """What a fee is called; in English where the language is not known."""
    named = FEES[kind]
    return named.get(language, named[DEFAULT])
