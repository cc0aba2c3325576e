"""A small world of payments and invoices, moved by the rules alone, and what must always be so of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from shared.invoicing.model import Invoice
from shared.invoicing.rules.accounts import CUSTOMER_CREDIT, RECEIVABLE
from shared.ledger.model import Line, Side, currencies_out_of_balance
from shared.money import Money
from shared.payments.allocations import Slice
from shared.payments.model import EventKind, PartnerEvent, Payment, Stage, Thing, Tracked
from shared.payments.rules.accounts import UNAPPLIED_CASH, WRITE_OFFS
from shared.payments.rules.allocating import Allocated, Terms, allocate, same_currency, take_back
from shared.payments.rules.paying import receive, reverse
from shared.payments.rules.refunding import give_back, take_again
from shared.payments.rules.settlement import Settlement
from tests.builders import NOON
from tests.unit.invoicing.drafts import a_line, an_invoice, pounds

CLEARING = "assets:clearing:standard"


def invoices(*nets: int) -> dict[str, Invoice]:
    """Issued invoices of one customer over these net amounts and 20 percent."""
    made = (replace(an_invoice(a_line(net)), id=f"i{place}", number=f"N{place}") for place, net in enumerate(nets))
    return {invoice.id: invoice for invoice in made}


def told(kind: EventKind, payment: str, money: Money) -> PartnerEvent:
    """What a partner tells of a payment."""
    return PartnerEvent("standard", f"evt_{payment}", "x", kind, NOON, payment=payment, money=money)


@dataclass
class Office:
    """Payments, invoices and what was posted, debits positive."""

    invoices: dict[str, Invoice]
    write_off_limit: int = 0
    terms: Terms | None = None
    payments: dict[str, Payment] = field(default_factory=dict)
    posted: Counter[tuple[str, str]] = field(default_factory=Counter)
    refunds: dict[str, tuple[str, Tracked]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    def receive(self, name: str, amount: int, own: str = "", currency: str = "GBP") -> None:
        """Money comes, for an invoice or for none."""
        event = told(EventKind.PAYMENT_SUCCEEDED, name, Money(amount, currency))
        self._settled(receive(name, event, None, self.invoices.get(own)))

    def allocate(self, name: str, amounts: Mapping[str, int], *, write_off: bool = False) -> Allocated:
        """Apply what is unapplied of it."""
        slices = [Slice(key, pounds(amount), write_off) for key, amount in amounts.items()]
        key = f"a{len(self.made)}"
        terms = self.terms or Terms("", self.write_off_limit, same_currency, "")
        made = allocate(self.payments[name], slices, self.invoices, replace(terms, allocation=key))
        self.made.append(key)
        self._moved(made)
        return made

    def undo(self, name: str, allocation: str) -> None:
        """Take an allocation back."""
        self._moved(take_back(self.payments[name], allocation, self.invoices))

    def refund(self, name: str, amount: int) -> None:
        """Part of it goes back to the payer."""
        payment = self.payments[name]
        money = Money(amount, payment.currency)
        tracked = Tracked(f"r{len(self.refunds)}", Thing.REFUND, "standard", "r", name, money, Stage.SUCCEEDED, NOON)
        event = told(EventKind.REFUND_SUCCEEDED, name, money)
        self._settled(give_back(payment, event, tracked, self._known(payment)))
        self.refunds[tracked.id] = (name, tracked)

    def refund_fails(self, refund: str) -> None:
        """It is here again."""
        name, tracked = self.refunds.pop(refund)
        event = told(EventKind.REFUND_FAILED, name, tracked.money)
        self._settled(take_again(self.payments[name], event, tracked, self._known(self.payments[name])))

    def reverse(self, name: str) -> None:
        """The bank takes back what is left."""
        payment = self.payments[name]
        event = told(EventKind.PAYMENT_REVERSED, name, payment.money)
        if settlement := reverse(payment, event, self._known(payment)):
            self._settled(settlement)

    def _known(self, payment: Payment) -> tuple[Invoice | None, Mapping[str, Invoice]]:
        return self.invoices.get(payment.invoice_id), self.invoices

    def _settled(self, settlement: Settlement) -> None:
        touched = [*settlement.others, *([settlement.invoice] if settlement.invoice else [])]
        assert len({invoice.id for invoice in touched}) == len(touched)
        assert settlement.payment is not None
        self._keep(settlement.payment, touched, settlement.lines)

    def _moved(self, moved: Allocated) -> None:
        self._keep(moved.payment, moved.invoices, moved.lines)

    def _keep(self, payment: Payment, touched: Iterable[Invoice], lines: tuple[Line, ...]) -> None:
        assert currencies_out_of_balance(lines) == []
        self.payments[payment.id] = payment
        self.invoices |= {invoice.id: invoice for invoice in touched}
        for line in lines:
            sign = 1 if line.side is Side.DEBIT else -1
            self.posted[line.account, line.money.currency] += sign * line.money.amount

    def stands(self, account: str, currency: str = "GBP") -> int:
        """Debits less credits."""
        return self.posted[account, currency]

    def holds_together(self, currency: str = "GBP") -> None:
        """Books, payments and invoices say the same; `currency` is the payments'."""
        payments, bills = self.payments.values(), self.invoices.values()
        assert self.stands(CLEARING, currency) == sum(p.matched + p.unapplied for p in payments)
        assert self.stands(UNAPPLIED_CASH, currency) == -sum(p.unapplied for p in payments)
        assert self.stands(CUSTOMER_CREDIT) == -sum(bill.credited for bill in bills)
        assert self.stands(RECEIVABLE) == -sum(bill.paid + bill.written_off for bill in bills)
        assert self.stands(WRITE_OFFS) == sum(bill.written_off for bill in bills)
        for bill in bills:
            of_it = [share for p in payments for share in p.shares if share.invoice_id == bill.id]
            own = sum(p.own for p in payments if p.invoice_id == bill.id)
            assert bill.paid + bill.credited == own + sum(share.settled for share in of_it)
            assert bill.written_off == sum(share.written_off for share in of_it)
