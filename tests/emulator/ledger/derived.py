"""What a money command comes to as the simple books stand: the entry of a reversal or of a hold's post, or a no."""

from typing import Any, cast

from shared.ledger.model import JournalEntry, Line, Reverses, Side
from shared.ledger.records import read_entry
from shared.ledger.rules.holds import PostOrder
from shared.ledger.rules.reversals import ReversalOrder
from shared.ports import Document, Fields
from tests.emulator.ledger.asked import Order
from tests.emulator.ledger.model import Figures, Held, Reference, Wanted, some, used


def derive(books: Reference, order: Order) -> Wanted:
    """An order to post, to reverse or to post a hold, as the books stand."""
    if order.reverse:
        return _reversal(books, order, order.reverse)
    if order.use:
        return _use(books, order, order.use)
    assert order.entry
    return Wanted(order.id, order.entry.request_hash, order.entry)


def _reversal(books: Reference, order: Order, wanted: ReversalOrder) -> Wanted:
    hash_, original = order.call.request_hash, books.journal[wanted.original]
    if books.outcomes[original.id] != "posted":
        return Wanted(order.id, hash_, refusal="entry_not_posted")
    left = books.left_of(original.id)
    if not any(left):
        return Wanted(order.id, hash_, refusal="nothing_left_to_reverse")
    amounts = left
    if wanted.parts is not None:
        amounts = [0] * len(left)
        for part in wanted.parts:
            if part.money.amount > left[part.line]:
                return Wanted(order.id, hash_, refusal="more_than_left_to_reverse")
            amounts[part.line] = part.money.amount
    places = tuple(place for place, amount in enumerate(amounts) if amount)
    lines = tuple(Line(line.account, line.side.other, line.money) for line in some(original.lines, amounts))
    day = wanted.effective_on or order.call.at.date()
    cause = str(order.call.cause)
    entry = JournalEntry(order.id, lines, day, cause, hash_, wanted.kind, reverses=Reverses(original.id, places))
    return Wanted(order.id, hash_, entry.posted_at(order.call.at))


def _use(books: Reference, order: Order, wanted: PostOrder) -> Wanted:
    hash_, hold = order.call.request_hash, books.holds[order.hold]
    if hold.state != "reserved":
        return Wanted(order.id, hash_, refusal="hold_ended")
    if order.call.at >= hold.expires_at:
        return Wanted(order.id, hash_, refusal="hold_expired")
    lines = some(hold.lines, hold.left) if wanted.lines is None else wanted.lines
    left = used(hold, lines)
    if left is None:
        return Wanted(order.id, hash_, refusal="exceeds_hold")
    over = wanted.final or not any(left)
    cause = str(order.call.cause)
    entry = JournalEntry(order.id, lines, order.call.at.date(), cause, hash_, hold=order.hold)
    return Wanted(
        order.id, hash_, entry.posted_at(order.call.at), release=hold.open_lines if over else lines, over=over
    )


def a_pair(of: JournalEntry | Held) -> tuple[tuple[int, Line], ...]:
    """A debit and a credit of one currency with their places: what balances with one amount. None of no lines."""
    placed = list(enumerate(of.lines))
    for place, line in placed:
        if line.side is Side.DEBIT:
            other = next(
                one for one in placed if one[1].side is Side.CREDIT and one[1].money.currency == line.money.currency
            )
            return ((place, line), other)
    return ()


def a_held(order: Order) -> Held:
    """The hold that an order asks for."""
    assert order.reserve
    lines = order.reserve.lines
    left = [line.money.amount for line in lines]
    return Held(lines, left, order.reserve.expires_at, order.call.request_hash)


def outcome_of(order: Order, document: Document) -> str:
    """What the record of an order says that it came to."""
    if order.reserve or order.linked:
        refusal = cast("Fields | None", document["refusal"])
        return str(refusal["code"]) if refusal else "reserved" if order.reserve else "posted"
    recorded = read_entry(document)
    return str(recorded.refusal["code"]) if recorded.refusal else "posted"


def add(figures: Figures, fields: Fields, prefix: str = "") -> None:
    """Add a totals document's sums, those of its days included."""
    for name in ("debits", "credits", "count"):
        if name in fields:
            figures[prefix + name] = figures.get(prefix + name, 0) + cast("int", fields[name])
    for day, bucket in cast("dict[str, Any]", fields.get("d", {})).items():
        add(figures, bucket, f"d.{day}.")
