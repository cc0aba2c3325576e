"""A firm, beside what its partners told it: one is moved by the rules, the other only counts, and both must agree."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Final

from shared.invoicing.model import Invoice
from shared.invoicing.rules.accounts import CUSTOMER_CREDIT, RECEIVABLE, SALES, vat_account
from shared.ledger.exchange import CONVERSION
from shared.payments.model import EventKind, PartnerEvent, Share
from shared.payments.refunds.model import IN_FLIGHT, RefundKind, RefundState
from shared.payments.rules.accounts import (
    CHARGEBACKS,
    DISPUTED,
    EXCHANGE_DIFFERENCES,
    FEES,
    FX_GAINS,
    FX_LOSSES,
    REFUNDS_PAYABLE,
    UNAPPLIED_CASH,
    WRITE_OFFS,
)
from tests.unit.payments.firm import Firm, our_id

K, S = EventKind, RefundState
ALIVE: Final = (*IN_FLIGHT, S.SUCCEEDED)


@dataclass
class Told:
    """What a partner has told of one payment: it knows no invoices, and nothing of the order of its words."""

    partner: str
    currency: str
    received: int = 0
    last_word: tuple[int, bool] = (-1, False)
    """Of a payment that may fail late: when the youngest word was, and whether it says that it failed."""
    reversed: int = 0
    done: dict[str, int] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    disputes: dict[str, tuple[int, set[EventKind]]] = field(default_factory=dict)
    fee: int = 0
    fees_of: dict[tuple[str, EventKind], int] = field(default_factory=dict)

    def hears(self, event: PartnerEvent) -> None:
        """One word, or the same again."""
        amount, minute = event.money.amount if event.money else 0, event.occurred_at.minute
        match event.kind:
            case K.PAYMENT_SUCCEEDED | K.PAYMENT_FAILED:
                if event.kind is K.PAYMENT_SUCCEEDED:
                    self.received, self.fee = amount, max(self.fee, event.fee.amount if event.fee else 0)
                if self.partner == "gocardless":
                    self.last_word = max(self.last_word, (minute, event.kind is K.PAYMENT_FAILED))
                return
            case K.PAYMENT_REVERSED:
                self.reversed = max(self.reversed, amount)
            case K.REFUND_SUCCEEDED:
                self.done[event.object] = amount
            case K.REFUND_FAILED:
                self.failed.add(event.object)
            case _:
                self.disputes.setdefault(event.object, (amount, set()))[1].add(event.kind)
        self.fees_of[event.object, event.kind] = event.fee.amount if event.fee else 0

    @property
    def fees(self) -> int:
        """What the partner keeps."""
        return self.fee + sum(self.fees_of.values())

    def beside(self) -> int:
        """What went back by refunds that others made."""
        return sum(amount for name, amount in self.done.items() if name not in self.failed and name[:2] != "re")

    def left(self, ours: int) -> int:
        """What is still with us, when so much went back by ours, or is about to."""
        if not self.received:
            return 0
        back = self.received if self.last_word[1] else self.reversed
        return max(self.received - self.beside() - ours - back, 0)

    def stands(self, ours: str) -> RefundState:
        """How a refund of ours stands that it has taken on."""
        return S.FAILED if ours in self.failed else S.SUCCEEDED if ours in self.done else S.SENT

    def held(self, account: str) -> int:
        """What is in dispute, or lost by one."""
        return sum(amount for amount, words in self.disputes.values() if _stands(words) == account)


def _stands(words: set[EventKind]) -> str:
    if K.DISPUTE_LOST in words:
        return CHARGEBACKS
    return "" if K.DISPUTE_WON in words else DISPUTED


@dataclass
class World:
    """The firm and what was told: one is moved by the rules, the other only counts."""

    firm: Firm = field(default_factory=Firm)
    told: dict[str, Told] = field(default_factory=dict)
    sizes: dict[tuple[str, str], int] = field(default_factory=dict)
    fees: dict[tuple[str, str, str], int] = field(default_factory=dict)
    minutes: dict[tuple[str, int], EventKind] = field(default_factory=dict)

    def tell(self, event: PartnerEvent) -> None:
        """A word comes, and what waited for it."""
        if self.firm.hears(event):
            self._count(event)
        for one in self.firm.heard_again():
            self._count(one)

    def _count(self, event: PartnerEvent) -> None:
        key = our_id(event)
        if event.money:
            self.told.setdefault(key, Told(event.partner, event.money.currency)).hears(event)

    def ours(self, payment: str, *states: RefundState) -> int:
        """What refunds of ours in these states come to."""
        refunds = map(self.firm.refund, self.firm.refunds)
        return sum(one.money.amount for one in refunds if one.payment_id == payment and one.state in states)

    # --- what must be so

    def holds_together(self) -> None:
        """Books, documents and partners say the same; what waits is not decided, and not counted."""
        wanted: Counter[tuple[str, str]] = Counter()
        for place, amount in self._wanted():
            wanted[place] += amount
        assert self.firm.balances() == {place: amount for place, amount in wanted.items() if amount}
        for key, told in self.told.items():
            self._payment_is_as_told(key, told)
        for bill in self.firm.invoices():
            self._invoice_is_as_paid(bill)

    def _wanted(self) -> Iterator[tuple[tuple[str, str], int]]:
        for bill in self.firm.invoices():
            yield from _wanted_of(bill)
        for key, told in self.told.items():
            clearing, currency = f"assets:clearing:{told.partner}", told.currency
            flying = self.ours(key, *IN_FLIGHT)
            left = told.left(self.ours(key, *ALIVE))
            disputed, lost = told.held(DISPUTED), told.held(CHARGEBACKS)
            yield (clearing, currency), left + flying - told.fees - disputed - lost
            yield (REFUNDS_PAYABLE, currency), -flying
            yield (FEES, currency), told.fees
            yield (DISPUTED, currency), disputed
            yield (CHARGEBACKS, currency), lost
            if told.received:
                payment = self.firm.payment(key)
                yield (UNAPPLIED_CASH, currency), -payment.unapplied
                for share in payment.shares:
                    yield from _wanted_by(share, currency)

    def _payment_is_as_told(self, key: str, told: Told) -> None:
        if not told.received:
            return
        payment, ours = self.firm.payment(key), self.ours(key, *ALIVE)
        assert payment.refunded == told.beside() + ours <= told.received
        assert payment.matched + payment.unapplied == told.left(ours)
        tally, asked = self.firm.tally(key), Counter[RefundKind]()
        mine = [one for one in map(self.firm.refund, self.firm.refunds) if one.payment_id == key]
        for one in mine:
            asked[one.kind] += one.money.amount if one.state is S.AWAITING_APPROVAL else 0
        assert {kind: amount for kind, amount in tally.asked.items() if amount} == {k: v for k, v in asked.items() if v}
        assert tally.flying == {one.id: one.state for one in mine if one.state in IN_FLIGHT}
        for one in mine:
            assert not one.reference or one.state is told.stands(one.reference)

    def _invoice_is_as_paid(self, bill: Invoice) -> None:
        payments = [self.firm.payment(key) for key, told in self.told.items() if told.received]
        shares = [share for one in payments for share in one.shares if share.invoice_id == bill.id]
        own = sum(one.own for one in payments if one.invoice_id == bill.id)
        assert bill.paid + bill.credited == own + sum(share.settled for share in shares)
        assert bill.written_off == sum(share.written_off for share in shares)
        refunds = [one for one in map(self.firm.refund, self.firm.refunds) if one.invoice_id == bill.id]
        sold = [one.money.amount for one in refunds if one.kind is RefundKind.INVOICE and one.state in ALIVE]
        assert bill.corrected == sum(sold)


def _wanted_of(bill: Invoice) -> Iterator[tuple[tuple[str, str], int]]:
    """What an invoice leaves on the accounts: the sale in proportion to what was not taken back, each tax rounded."""
    currency, gross = bill.currency, bill.gross.amount
    yield (RECEIVABLE, currency), bill.open.amount
    yield (CUSTOMER_CREDIT, currency), -bill.credited
    yield (WRITE_OFFS, currency), bill.written_off
    taxed = 0
    for row in bill.breakdown:
        back = floor(Fraction(row.tax.amount * bill.corrected, gross) + Fraction(1, 2))
        yield (vat_account(row.country), currency), back - row.tax.amount
        taxed += row.tax.amount - back
    yield (SALES, currency), taxed - (gross - bill.corrected)


def _wanted_by(share: Share, currency: str) -> Iterator[tuple[tuple[str, str], int]]:
    """What an allocation in another currency leaves on the accounts."""
    if share.currency != currency:
        yield (CONVERSION, currency), -share.taken
        yield (CONVERSION, share.currency), share.settled
    if share.gain:
        yield (FX_GAINS if share.gain > 0 else FX_LOSSES, share.books), -share.gain
        yield (EXCHANGE_DIFFERENCES, share.books), share.gain
