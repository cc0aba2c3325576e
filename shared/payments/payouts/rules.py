"""A page of a payout's lines: what is known of each, what the partner keeps, and what is posted for it.

Payments, refunds and disputes are in the clearing account by the partner's events, so is the payout itself. What only
the payout's lines tell is posted from them: fees that no event told, and what is held in reserve. So the clearing
account comes to nothing when all that a partner took has been paid out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeVar

from shared.identity import StoredId
from shared.invoicing.rules.accounts import clearing_account
from shared.ledger.model import AccountCode, Line, credit, debit
from shared.money import Money, sum_by_currency
from shared.payments.model import Payment, Thing, Tracked
from shared.payments.payouts.model import ABOUT_SOMETHING, Found, Item, ItemKind, SettledItem, Statement, StatementPage
from shared.payments.records import own_id, payment_id
from shared.payments.refusals import PageOutOfOrder, StatementClosed, WrongPayoutCurrency
from shared.payments.rules.accounts import FEES, RESERVED
from shared.payments.rules.fees import kept, tell_by_line

Known: TypeAlias = Payment | Tracked
_K = TypeVar("_K")

THINGS: Final[Mapping[ItemKind, Thing]] = {ItemKind.REFUND: Thing.REFUND, ItemKind.DISPUTE: Thing.DISPUTE}


@dataclass(frozen=True, slots=True)
class Taken:
    """A statement after one more page: its lines as they were found, what they change, and what is posted."""

    statement: Statement
    items: tuple[SettledItem, ...]
    changed: tuple[Known, ...]
    """Payments that they paid out, and whatever they told another fee of."""
    lines: tuple[Line, ...]


def object_of(statement: Statement, item: Item) -> StoredId | None:
    """Our own id of what a line is about; None where it is about nothing."""
    if item.kind not in ABOUT_SOMETHING:
        return None
    if item.kind not in THINGS:
        return payment_id(statement.partner, item.reference, statement.account)
    return own_id(statement.partner, statement.account, THINGS[item.kind], item.reference)


def take(
    statement: Statement,
    page: StatementPage,
    known: Mapping[StoredId, Known | None],
    failed_payouts: frozenset[str],
) -> Taken:
    """A statement with its next page.

    `known` has what the lines are about, by our ids; a payment that one of `failed_payouts` was to bring is free again.

    Raises:
        StatementClosed: it has all its pages.
        PageOutOfOrder: another page comes next.
        WrongPayoutCurrency: a line is in another currency than the payout.
        Invalid: its lines add up to more than any amount.
    """
    _check(statement, page)
    taking = _Taking(statement, dict(known), failed_payouts)
    items = tuple(map(taking.take, page.items))
    after = replace(
        statement,
        pages=page.number,
        items=statement.items + len(items),
        sums=_added(statement.sums, ((one.kind, one.money.amount) for one in page.items)),
        fee_found=taking.fee_found,
        fees=statement.fees + sum(one.fee.amount for one in page.items),
        found=_added(statement.found, ((one.found, 1) for one in items)),
        cursor=page.cursor,
        closed=page.last,
        version=statement.version + 1,
    )
    _check_sums(after)
    return Taken(after, items, tuple(taking.changed.values()), _lines(statement, taking.fees, taking.reserved))


class _Taking:
    """Lines of one page, one after the other."""

    def __init__(self, statement: Statement, known: dict[StoredId, Known | None], failed: frozenset[str]) -> None:
        self._statement, self._known, self._failed = statement, known, failed
        self.changed: dict[str, Known] = {}
        self.fees = Counter[str]()
        """What the lines say is kept and nothing told of before, by its currency."""
        self.reserved = 0
        self.fee_found = statement.fee_found

    def take(self, item: Item) -> SettledItem:
        """One line; its fee counts unless nobody knows what it is of."""
        key = object_of(self._statement, item)
        if key is None:
            self._of_nothing(item)
            return SettledItem(item, "", Found.KNOWN)
        thing = self._known.get(key)
        if thing is None:
            return SettledItem(item, key, Found.UNKNOWN)
        if isinstance(thing, Payment) and item.kind is ItemKind.PAYMENT:
            return SettledItem(item, key, self._payment(key, thing, item))
        if isinstance(thing, Payment):
            return SettledItem(item, key, self._taken_back(key, thing, item))
        return SettledItem(item, key, self._tracked(key, thing, item))

    def _keep(self, fee: Money) -> None:
        self.fees[fee.currency] += fee.amount

    def _change(self, key: StoredId, thing: Known) -> None:
        self.changed[key] = self._known[key] = thing

    def _of_nothing(self, item: Item) -> None:
        self._keep(item.fee)
        if item.kind is ItemKind.FEE:
            again = min(max(-item.money.amount, 0), self._statement.fee - self.fee_found)
            self._keep(Money(-item.money.amount - again, item.money.currency))
            self.fee_found += again
        if item.kind is ItemKind.RESERVE:
            self.reserved -= item.money.amount

    def _payment(self, key: StoredId, payment: Payment, item: Item) -> Found:
        """A payment is paid out once: what its events did not tell of its fee counts now."""
        if payment.payout_id and payment.payout_id not in self._failed:
            return Found.PAID_BEFORE
        self._keep(item.fee)
        self._keep(-payment.fee)  # also where the partner changed it: it is kept once, in the currency paid out
        paid_out = replace(
            payment,
            payout_id=self._statement.payout_id,
            fee_told=item.fee.amount,
            fee_currency=item.fee.currency if item.fee.currency != payment.currency else "",
            version=payment.version + 1,
        )
        self._change(key, paid_out)
        once = Money(payment.received - payment.reversed, payment.currency)  # of what came, went and came again
        return Found.KNOWN if item.money in {payment.money, once} else Found.DIFFERS

    def _taken_back(self, key: StoredId, payment: Payment, item: Item) -> Found:
        """A payment that the bank took back goes once: what was told of the fee for that does not count again."""
        if payment.reversal_payout_id and payment.reversal_payout_id not in self._failed:
            return Found.PAID_BEFORE
        counted, told = item.fee, Money(payment.reversed, payment.currency)
        if item.fee.amount > 0 and item.fee.currency == payment.currency:
            counted = Money(max(item.fee.amount - payment.reversal_fee, 0), payment.currency)
            payment = replace(payment, reversal_fee=payment.reversal_fee + counted.amount)
        self._keep(counted)
        self._change(key, replace(payment, reversal_payout_id=self._statement.payout_id, version=payment.version + 1))
        return Found.KNOWN if item.money in {told, -told} else Found.DIFFERS

    def _tracked(self, key: StoredId, tracked: Tracked, item: Item) -> Found:
        """A refund or dispute goes once, and comes back once: what was told of its fee does not count again."""
        this, free = self._statement.payout_id, tracked
        if tracked.payout_id in self._failed:
            told = tracked.fee_of_lines - tracked.fee_of_payout
            free = replace(tracked, paid_out=0, fee_of_lines=told, fee_of_payout=0)
        elif tracked.payout_id != this:
            free = replace(tracked, fee_of_payout=0)
        same = item.money in {tracked.money, -tracked.money}
        if same and free.paid_out == item.money.amount:
            return Found.PAID_BEFORE
        after, counted = tell_by_line(free, item.fee)
        self._keep(counted)
        self._keep(Money(kept(after) - kept(tracked), tracked.money.currency))
        brought = after.paid_out + item.money.amount if same else after.paid_out
        self._change(key, replace(after, payout_id=this, paid_out=brought, version=after.version + 1))
        return Found.KNOWN if same else Found.DIFFERS


def _check(statement: Statement, page: StatementPage) -> None:
    if statement.closed:
        message = "the payout's lines are all there"
        raise StatementClosed(message, field="id")
    if page.number != statement.pages + 1:
        message = f"the next page is {statement.pages + 1}"
        raise PageOutOfOrder(message, field="page", detail={"next": statement.pages + 1})
    if others := sum_by_currency(item.money for item in page.items).keys() - {statement.money.currency}:
        message = f"the payout is in {statement.money.currency}"
        raise WrongPayoutCurrency(message, field="items", detail={"currency": min(others)})


def _check_sums(statement: Statement) -> None:
    for amount in (*statement.sums.values(), statement.fees, statement.explained, statement.difference):
        Money(amount, statement.money.currency)


def _added(sums: Mapping[_K, int], more: Iterable[tuple[_K, int]]) -> dict[_K, int]:
    after = dict(sums)
    for key, amount in more:
        after[key] = after.get(key, 0) + amount
    return after


def _lines(statement: Statement, fees: Mapping[str, int], reserved: int) -> tuple[Line, ...]:
    clearing = clearing_account(statement.partner)
    kept = (line for currency, fee in sorted(fees.items()) for line in _move(FEES, clearing, fee, currency))
    return (*kept, *_move(RESERVED, clearing, reserved, statement.money.currency))


def _move(to: AccountCode, of: AccountCode, amount: int, currency: str) -> tuple[Line, ...]:
    """So much from one account to another; the other way round where it is negative."""
    if not amount:
        return ()
    if amount < 0:
        to, of = of, to
    return (debit(to, Money(abs(amount), currency)), credit(of, Money(abs(amount), currency)))
