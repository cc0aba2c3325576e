"""A tenant whose payments, refunds, reversals, disputes and allocations move together, by the rules alone."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final, TypeVar

from shared.faults import Retryable
from shared.invoicing.model import Invoice
from shared.invoicing.records import invoice_ref, read_invoice, write_invoice, write_settlement
from shared.invoicing.rules.accounts import RECEIVABLE, SALES, vat_account
from shared.ledger.model import Line, Side, currencies_out_of_balance
from shared.money import Money
from shared.payments.allocations import Slice
from shared.payments.applying import written
from shared.payments.model import EventKind, EventState, PartnerEvent, Payment, Stage, StoredEvent, Thing, Tracked
from shared.payments.records import own_id, payment_id, payment_ref, read_payment, write_payment
from shared.payments.refunds.model import Happening, Refund, RefundKind, RefundReason, RefundState, Tally
from shared.payments.refunds.records import read_refund, refund_ref
from shared.payments.refunds.rules import approve, failed, require_left
from shared.payments.refunds.told import known_invoice, known_tally, undone
from shared.payments.refusals import RefundTooLarge
from shared.payments.rules.allocating import Allocated, Terms, allocate, same_currency, take_back
from shared.payments.rules.exchanging import Exchange
from shared.payments.rules.settlement import Settlement
from shared.payments.rules.settling import settle
from shared.ports import Document, Ref, Unread, Update, Value, View, Write
from shared.tax.model import Category
from tests.builders import ACME, NOON, a_call
from tests.unit.invoicing.drafts import a_line, an_invoice
from tests.unit.payments.some_rates import SOME_RATES

BOOKS: Final = "GBP"
WRITE_OFF_LIMIT: Final = 300
CALL: Final = a_call()
HAPPENS: Final = {
    "reject": Happening.REJECT,
    "cancel": Happening.CANCEL,
    "send": Happening.SEND,
    "fail": Happening.FAIL,
}

T = TypeVar("T")


def some_invoices() -> tuple[Invoice, ...]:
    """Of one customer: 120.00 pounds, an odd sum at two rates of VAT, and one in euros of an earlier day."""
    mixed = an_invoice(a_line(4_999), a_line(333, "1", Category.ZERO), a_line(7))
    made = (an_invoice(), mixed, _in_euros(an_invoice(a_line(6_667)), date(2026, 11, 6)))
    return tuple(replace(one, id=f"i{place}", number=f"N{place}") for place, one in enumerate(made))


def _in_euros(invoice: Invoice, on: date) -> Invoice:
    def euros(money: Money) -> Money:
        return Money(money.amount, "EUR")

    return replace(
        invoice,
        currency="EUR",
        lines=tuple(replace(line, net=euros(line.net)) for line in invoice.lines),
        breakdown=tuple(replace(row, base=euros(row.base), tax=euros(row.tax)) for row in invoice.breakdown),
        net=euros(invoice.net),
        tax=euros(invoice.tax),
        gross=euros(invoice.gross),
        issued_on=on,
    )


class Firm:
    """Documents in a dictionary, what stands on each account (debits less credits), and events that wait."""

    def __init__(self) -> None:
        self.fields: dict[Ref, dict[str, Value]] = {}
        self.accounts: Counter[tuple[str, str]] = Counter()
        self.waiting: deque[PartnerEvent] = deque()
        self.invoice_ids = [self._issue(invoice) for invoice in some_invoices()]
        self.refunds: list[str] = []
        self.allocations: list[tuple[str, str]] = []

    def _issue(self, invoice: Invoice) -> str:
        self.fields[invoice_ref(ACME, invoice.id)] = write_invoice(invoice)
        self.accounts[RECEIVABLE, invoice.currency] += invoice.gross.amount
        self.accounts[SALES, invoice.currency] -= invoice.net.amount
        for row in invoice.breakdown:
            self.accounts[vat_account(row.country), invoice.currency] -= row.tax.amount
        return invoice.id

    # --- as it stands

    def document(self, ref: Ref) -> Document | None:
        """As it stands."""
        return Document(ref, self.fields[ref], "1", NOON) if ref in self.fields else None

    def there(self, ref: Ref) -> Document:
        """One that is there."""
        return Document(ref, self.fields[ref], "1", NOON)

    def invoices(self) -> list[Invoice]:
        """Every invoice."""
        return [read_invoice(self.there(invoice_ref(ACME, key))) for key in self.invoice_ids]

    def payment(self, key: str) -> Payment:
        """A payment by our id."""
        return read_payment(self.there(payment_ref(ACME, key)))

    def refund(self, key: str) -> Refund:
        """A refund of ours."""
        return read_refund(self.there(refund_ref(ACME, key)))

    def tally(self, payment: str) -> Tally:
        """What is under way of a payment."""
        return self._deciding(lambda view: known_tally(CALL, payment, view))

    def _deciding(self, decide: Callable[[View], T]) -> T:
        asked: frozenset[Ref] = frozenset()
        while True:
            view = View({ref: self.document(ref) for ref in asked})
            try:
                return decide(view)
            except Unread as unread:
                asked |= unread.refs

    # --- what partners tell

    def hears(self, event: PartnerEvent) -> bool | None:
        """It is told: True once it is decided, None if it is refused as too much; else it waits, and comes again."""
        stored = StoredEvent(event.id, event, EventState.RECEIVED, NOON, "key", NOON)
        try:
            settlement = self._deciding(lambda view: settle(CALL, stored, view))
        except Retryable:
            self.waiting.append(event)
            return False
        except RefundTooLarge:
            return None
        if settlement is not None:
            self._settled(settlement)
        return True

    def heard_again(self) -> Iterable[PartnerEvent]:
        """What waits comes again until nothing more is decided; what is decided by that."""
        going = True
        while going:
            going = False
            for event in [self.waiting.popleft() for _ in range(len(self.waiting))]:
                if self.hears(event):
                    going = True
                    yield event

    # --- what we order

    def allocate(self, payment: str, amounts: Mapping[str, int], *, write_off: bool) -> None:
        """Apply what is left of a payment to invoices of one currency."""
        known, bills = self.payment(payment), {bill.id: bill for bill in self.invoices()}
        slices = [Slice(key, Money(amount, bills[key].currency), write_off) for key, amount in amounts.items()]
        name = f"a{len(self.allocations)}"
        exchanged = slices[0].amount.currency != known.currency
        price = Exchange(SOME_RATES, BOOKS).price if exchanged else same_currency
        made = allocate(known, slices, bills, Terms(name, WRITE_OFF_LIMIT, price, BOOKS if exchanged else ""))
        self.allocations.append((payment, name))
        self._moved(made)

    def undo(self, payment: str, allocation: str) -> None:
        """Take an allocation back."""
        self._moved(take_back(self.payment(payment), allocation, {bill.id: bill for bill in self.invoices()}))

    def ask(self, payment: str, kind: RefundKind, amount: int) -> None:
        """Ask for a refund."""
        known, key = self.payment(payment), f"r{len(self.refunds)}"
        refund = Refund(
            key,
            payment,
            kind,
            RefundReason.OVERPAYMENT,
            Money(amount, known.currency),
            "user:ann",
            NOON,
            NOON,
            partner=known.partner,
            payment_reference=known.reference,
            invoice_id=known.invoice_id,
        )

        def decide(view: View) -> Settlement:
            tally = known_tally(CALL, payment, view)
            require_left(refund, known, known_invoice(CALL, refund, view), tally)
            return Settlement(refunds=(refund,), tally=tally.with_asked(kind, amount))

        self._settled(self._deciding(decide))
        self.refunds.append(key)

    def approve(self, key: str) -> None:
        """Approve a refund."""

        def decide(view: View) -> Settlement:
            refund = self.refund(key)
            tally = known_tally(CALL, refund.payment_id, view).with_asked(refund.kind, -refund.money.amount)
            payment, bill = self.payment(refund.payment_id), known_invoice(CALL, refund, view)
            return approve(refund.moved(Happening.APPROVE, NOON), payment, bill, tally)

        self._settled(self._deciding(decide))

    def moves(self, key: str, verb: str) -> None:
        """A refund is rejected, cancelled, sent, or comes to nothing."""

        def decide(view: View) -> Settlement:
            refund = self.refund(key)
            after = failed(refund, CALL, "no") if verb == "fail" else refund.moved(HAPPENS[verb], NOON)
            tally = known_tally(CALL, refund.payment_id, view)
            if refund.state is RefundState.AWAITING_APPROVAL:
                return Settlement(refunds=(after,), tally=tally.with_asked(refund.kind, -refund.money.amount))
            if verb == "send":
                return Settlement(refunds=(after,), tally=tally.with_refund(after))
            return undone(CALL, refund, after, view)

        self._settled(self._deciding(decide))

    def accepted(self, key: str) -> None:
        """The partner's answer is stored: what it calls the refund."""

        def decide(view: View) -> Settlement:
            refund = self.refund(key)
            sent = replace(refund.moved(Happening.ACCEPT, NOON), reference=f"re_{key}", answered=Stage.PENDING)
            tally = known_tally(CALL, refund.payment_id, view).with_refund(sent)
            name = own_id(refund.partner, "", Thing.REFUND, sent.reference)
            link = Tracked(
                name,
                Thing.REFUND,
                refund.partner,
                sent.reference,
                refund.payment_id,
                sent.money,
                Stage.PENDING,
                NOON,
                order=key,
            )
            return Settlement(refunds=(sent,), tally=tally, tracked=link)

        self._settled(self._deciding(decide))

    # --- what is written

    def _settled(self, settlement: Settlement) -> None:
        writes = self._deciding(lambda view: list(written(CALL, settlement, view)))
        assert len({write.ref for write in writes}) == len(writes)
        for write in writes:
            self._write(write)
        self._post(settlement.lines)

    def _moved(self, moved: Allocated) -> None:
        self.fields[payment_ref(ACME, moved.payment.id)] |= write_payment(moved.payment)
        assert len({bill.id for bill in moved.invoices}) == len(moved.invoices)
        for bill in moved.invoices:
            self.fields[invoice_ref(ACME, bill.id)] |= write_settlement(bill)
        self._post(moved.lines)

    def _write(self, write: Write) -> None:
        fields: Any = write.fields  # type: ignore[union-attr]
        self.fields[write.ref] = {**self.fields[write.ref], **fields} if isinstance(write, Update) else dict(fields)

    def _post(self, lines: tuple[Line, ...]) -> None:
        assert currencies_out_of_balance(lines) == []
        for line in lines:
            assert line.money.amount > 0
            sign = 1 if line.side is Side.DEBIT else -1
            self.accounts[line.account, line.money.currency] += sign * line.money.amount

    def balances(self) -> dict[tuple[str, str], int]:
        """Every account and currency that is not at zero."""
        return {place: amount for place, amount in self.accounts.items() if amount}

    def stands(self) -> Any:
        """Every document without its version, and every balance."""
        return {ref: {**fields, "version": 0} for ref, fields in self.fields.items()}, self.balances()


def says(kind: EventKind, payment: str, money: Money, own: str = "", **more: Any) -> PartnerEvent:
    """What `standard` says of a payment, or another partner; `minute` is when, after noon."""
    minute, partner = more.pop("minute", 0), more.pop("partner", "standard")
    name = f"{kind.value} {payment} {own} {money.amount} {minute} {more}"
    at = NOON + timedelta(minutes=minute)
    return PartnerEvent(partner, name, "t", kind, at, payment=payment, object=own, money=money, **more)


def our_id(event: PartnerEvent) -> str:
    """Our id of an event's payment."""
    return payment_id(event.partner, event.payment)
