"""What can happen to a firm's money on a day: words of partners and orders of ours, as they are drawn."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from shared.money import Money
from shared.payments.model import EventKind, PartnerEvent
from shared.payments.records import payment_id
from shared.payments.refunds.model import RefundKind, RefundState
from shared.payments.refunds.refusals import RefundExceedsPayment
from tests.unit.payments.firm import says
from tests.unit.payments.firm_told import ALIVE, World

K, S = EventKind, RefundState
PAYMENTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "p0": ("standard", "GBP", "i0"),
    "p1": ("standard", "GBP", "i0"),
    "p2": ("standard", "GBP", ""),
    "p3": ("standard", "EUR", ""),
    "p4": ("gocardless", "GBP", "i1"),
}
"""The partner, the currency and the invoice that it names. The last may fail after it has succeeded."""
VERBS: Final = (
    *("pay", "pay", "fail", "reverse", "refund", "refund_fails", "dispute", "in_another_currency"),
    *("allocate", "allocate", "undo", "ask", "ask", "bring", "bring", "bring", "word", "word"),
)
_DISPUTE: Final = (K.DISPUTE_OPENED, K.DISPUTE_WON, K.DISPUTE_LOST)


# --- what we order ------------------------------------------------------------------------


def take(world: World, name: str, verb: str, drawn: tuple[int, int]) -> None:
    """One thing happens, as far as it can."""
    amount, place = drawn
    if verb in _TELLS:
        for event in _TELLS[verb](world, name, amount, place):
            world.tell(event)
    else:
        _ORDERS[verb](world, name, amount, place)


def _received(world: World, name: str) -> str:
    """Our id of a payment whose money came; empty of another."""
    key = payment_id(PAYMENTS[name][0], name)
    return key if key in world.told and world.told[key].received else ""


def allocates(world: World, name: str, amount: int, place: int) -> None:
    """To one invoice or two; up to what is open now and then, or all but a rest that is written off."""
    if key := _received(world, name):
        open_now = {bill.id: bill.open.amount for bill in world.firm.invoices()}
        chosen, unapplied = _CHOICES[place % 4], world.firm.payment(key).unapplied
        amounts = {one: min(amount, open_now[one]) if amount % 5 else amount for one in chosen}
        if place in _WRITES_OFF:
            amounts = {one: open_now[one] - amount % 300 for one in chosen}
        if amount % 7 and unapplied and len(chosen) == 1:
            amounts = {one: min(most, unapplied) for one, most in amounts.items()}
        world.firm.allocate(key, amounts, write_off=place in _WRITES_OFF)


def undoes(world: World, _: str, amount: int, __: int) -> None:
    """Any allocation that was ever made."""
    if made := world.firm.allocations:
        world.firm.undo(*made[amount % len(made)])


def asks(world: World, name: str, amount: int, place: int) -> None:
    """A refund is asked for; where that is too much, all that is said to be available."""
    if key := _received(world, name):
        kind = tuple(RefundKind)[place % 2]
        try:
            world.firm.ask(key, kind, amount)
        except RefundExceedsPayment as refusal:
            if available := int(str(refusal.detail["available"])):
                world.firm.ask(key, kind, available)


def brings(world: World, _: str, amount: int, place: int) -> None:
    """A refund of ours comes one step further, one way or another."""
    refunds = [one for one in map(world.firm.refund, world.firm.refunds) if one.state in _GOES_ON]
    if not refunds:
        return
    firm, refund = world.firm, refunds[amount % len(refunds)]
    key, told = refund.id, any(event.object == f"re_{refund.id}" for event in firm.waiting)
    match refund.state:
        case S.AWAITING_APPROVAL if place > 1:
            firm.approve(key)
        case S.AWAITING_APPROVAL:
            firm.moves(key, ("reject", "cancel")[place])
        case S.APPROVED:
            firm.moves(key, "send" if place > 1 else "cancel")
        case _ if place > 2 or told:
            firm.accepted(key)
        case _:
            firm.moves(key, "fail")


def hears_of_ours(world: World, _: str, amount: int, place: int) -> None:
    """The partner's word about a refund of ours that it has made, perhaps before its answer is stored."""
    refunds = [one for one in map(world.firm.refund, world.firm.refunds) if one.state is S.SENDING or one.reference]
    if refunds:
        refund = refunds[amount % len(refunds)]
        kind = K.REFUND_FAILED if place < 4 else K.REFUND_SUCCEEDED
        own, fee = f"re_{refund.id}", place % 2 and 7
        world.tell(about(world, refund.payment_reference, kind, refund.money.amount, own=own, fee=fee))


_WRITES_OFF: Final = {4, 8, 9}
_GOES_ON: Final = {S.AWAITING_APPROVAL, S.APPROVED, S.SENDING}
_CHOICES: Final = (("i0",), ("i1",), ("i0", "i1"), ("i2",))
_ORDERS: Final[Mapping[str, Callable[[World, str, int, int], None]]] = {
    "allocate": allocates,
    "undo": undoes,
    "ask": asks,
    "bring": brings,
    "word": hears_of_ours,
}


# --- what partners tell ------------------------------------------------------------------


def about(world: World, name: str, kind: EventKind, amount: int, **more: Any) -> PartnerEvent:
    """A word about a payment; every word about the same thing is of the same amount and fee."""
    partner, currency, invoice = PAYMENTS[name]
    own, fee = more.pop("own", ""), more.pop("fee", 0)
    if kind is not K.PAYMENT_REVERSED:
        amount = world.sizes.setdefault((name, own), amount)
    fee = world.fees.setdefault((name, own, kind.value), fee) if own else fee
    kept = Money(fee, currency) if fee else None
    return says(kind, name, Money(amount, currency), own, partner=partner, invoice_id=invoice, fee=kept, **more)


def paid(world: World, name: str, amount: int, place: int) -> Iterator[PartnerEvent]:
    """It succeeds; where it may fail late, at one of ten minutes, of which each has one word."""
    amount, late = max(amount, 2_000) + 1_500 * place, PAYMENTS[name][0] == "gocardless"
    if not late:
        yield about(world, name, K.PAYMENT_SUCCEEDED, amount, fee=place % 3 * 10)
    elif world.minutes.setdefault((name, place), K.PAYMENT_SUCCEEDED) is K.PAYMENT_SUCCEEDED:
        yield about(world, name, K.PAYMENT_SUCCEEDED, amount, minute=place)


def fails(world: World, name: str, amount: int, place: int) -> Iterator[PartnerEvent]:
    """It fails, before or after."""
    late = PAYMENTS[name][0] == "gocardless"
    if not late or world.minutes.setdefault((name, place), K.PAYMENT_FAILED) is K.PAYMENT_FAILED:
        yield about(world, name, K.PAYMENT_FAILED, amount, minute=place if late else 0)


def reversed_by(world: World, name: str, amount: int, place: int) -> Iterator[PartnerEvent]:
    """The bank takes back some of it, or all."""
    if PAYMENTS[name][0] != "gocardless":
        yield about(world, name, K.PAYMENT_REVERSED, amount * 3 if place > 5 else amount)


def refunded(world: World, name: str, amount: int, place: int) -> Iterator[PartnerEvent]:
    """Somebody gives money back beside us; of what may fail late no more than came once."""
    own, sizes = f"x{place % 4}{name}", world.sizes
    others = sum(size for (of, thing), size in sizes.items() if of == name and thing[:1] == "x" and thing != own)
    ours = world.ours(payment_id(PAYMENTS[name][0], name), *ALIVE)
    if PAYMENTS[name][0] != "gocardless" or others + ours + amount <= sizes.get((name, ""), 0):
        yield about(world, name, K.REFUND_SUCCEEDED, amount, own=own, fee=place % 2 and 5)


def refund_failed(world: World, name: str, amount: int, place: int) -> Iterator[PartnerEvent]:
    """Of those that were told, or of one that never was."""
    own = f"x{place % 4}{name}"
    if (name, own) in world.sizes or place > 7:
        yield about(world, name, K.REFUND_FAILED, amount, own=own if place < 8 else f"y{name}", fee=place % 2 and 3)


def disputed(world: World, name: str, amount: int, place: int) -> Iterator[PartnerEvent]:
    """It is disputed, and that is won or lost."""
    kind = _DISPUTE[place % 3]
    fee = 15 if kind is K.DISPUTE_OPENED else 0
    yield about(world, name, kind, amount, own=f"d{place % 2}{name}", fee=fee)


def in_another_currency(_: World, name: str, amount: int, place: int) -> Iterator[PartnerEvent]:
    """Nothing that was received in another."""
    partner, currency, _invoice = PAYMENTS[name]
    other = Money(amount, "EUR" if currency == "GBP" else "GBP")
    yield says((K.REFUND_SUCCEEDED, K.PAYMENT_REVERSED)[place % 2], name, other, f"o{place}{name}", partner=partner)


_TELLS: Final[Mapping[str, Callable[[World, str, int, int], Iterator[PartnerEvent]]]] = {
    "pay": paid,
    "fail": fails,
    "reverse": reversed_by,
    "refund": refunded,
    "refund_fails": refund_failed,
    "dispute": disputed,
    "in_another_currency": in_another_currency,
}
