"""What a reversal undoes, decided without a store."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Invalid, Refused
from shared.ledger.model import (
    EntryKind,
    JournalEntry,
    Line,
    RefusedCommand,
    Reverses,
    Side,
    currencies_out_of_balance,
    sums_by_currency,
)
from shared.ledger.records import RecordedEntry, read_entry, write_entry
from shared.ledger.refusals import (
    ClosingEntryStands,
    EntryNotPosted,
    MoreThanLeftToReverse,
    NothingLeftToReverse,
    UnbalancedReversal,
    UnknownLine,
)
from shared.ledger.rules.reversals import Part, ReversalOrder, undo, whole
from shared.money import Money
from shared.ports import Document
from tests.builders import ACME, NOON, TODAY, a_sale, entry_id, euros


def recorded(entry: JournalEntry, *, posted: bool = True) -> RecordedEntry:
    """An entry as the books keep it."""
    return RecordedEntry(entry, posted, NOON, None)


@st.composite
def entries(draw: st.DrawFn) -> JournalEntry:
    """Entries of 2 to 12 lines in one or two currencies, the same account on many of them."""
    accounts, lines = st.sampled_from(["a", "b", "c"]), []
    for currency in draw(st.sampled_from([("EUR",), ("EUR", "JPY")])):
        amounts = draw(st.lists(st.integers(1, 10**15), min_size=1, max_size=4))
        lines += [Line(draw(accounts), Side.DEBIT, Money(amount, currency)) for amount in amounts]
        total, parts = sum(amounts), draw(st.integers(1, 2))
        split = min(total - 1, draw(st.integers(1, 10**15))) if parts == 2 and total > 1 else 0
        credits_ = [amount for amount in (split, total - split) if amount]
        lines += [
            Line(draw(accounts), Side.CREDIT, Money(piece, currency)) for amount in credits_ for piece in pieces(amount)
        ]
    return JournalEntry(entry_id("x"), tuple(draw(st.permutations(lines))), TODAY, "x", "h")


def pieces(amount: int) -> list[int]:
    """An amount as amounts that a line can have."""
    largest = 10**15
    return [largest] * (amount // largest) + [rest for rest in (amount % largest,) if rest]


@st.composite
def orders(draw: st.DrawFn, entry: JournalEntry) -> tuple[Part, ...]:
    """Parts of an entry, sometimes of lines it has not, in other currencies, or of too much."""
    places = draw(st.lists(st.integers(0, len(entry.lines)), min_size=1, max_size=6, unique=True))
    return tuple(
        Part(place, Money(draw(st.integers(1, 2 * 10**14)), draw(st.sampled_from(["EUR", "EUR", "EUR", "JPY"]))))
        for place in places
    )


@given(st.data())
def test_what_was_undone_and_what_is_left_are_the_original(data: st.DataObject) -> None:
    """After any reversals, refused ones among them, by line; each balances, and the last leaves nothing."""
    entry = data.draw(entries())
    left, undone_by_line = whole(recorded(entry)), [0] * len(entry.lines)
    for _ in range(data.draw(st.integers(0, 5))):
        asked = data.draw(orders(entry)) if data.draw(st.booleans()) else balanced_part(data, entry, left)
        try:
            undone = undo(recorded(entry), left, asked)
        except Refused:
            continue
        assert currencies_out_of_balance(undone.lines) == []
        for line, place in zip(undone.lines, undone.places, strict=True):
            original = entry.lines[place]
            assert (line.account, line.side) == (original.account, original.side.other)
            undone_by_line[place] += line.money.amount
        left = undone.left
        assert min(left) >= 0
        assert [sum(pair) for pair in zip(left, undone_by_line, strict=True)] == list(whole(recorded(entry)))
    if any(left):
        rest = undo(recorded(entry), left, None)
        assert (set(rest.left), currencies_out_of_balance(rest.lines)) == ({0}, [])
        left = rest.left
    with pytest.raises(NothingLeftToReverse):
        undo(recorded(entry), left, None)


def balanced_part(data: st.DataObject, entry: JournalEntry, left: tuple[int, ...]) -> tuple[Part, ...]:
    """As much of one debit as of one credit of its currency: what can be had, unless nothing is left."""
    sides = {
        side: [place for place, line in enumerate(entry.lines) if line.side is side and left[place]] for side in Side
    }
    if not sides[Side.DEBIT]:
        return (Part(0, entry.lines[0].money),)
    debited = data.draw(st.sampled_from(sides[Side.DEBIT]))
    currency = entry.lines[debited].money.currency
    credited = data.draw(
        st.sampled_from([place for place in sides[Side.CREDIT] if entry.lines[place].money.currency == currency])
    )
    amount = Money(data.draw(st.integers(1, min(left[debited], left[credited]))), currency)
    return (Part(debited, amount), Part(credited, amount))


@given(entries())
def test_undoing_what_was_undone_is_the_original(entry: JournalEntry) -> None:
    """A reversal of a whole reversal has the original's lines in their order."""
    undone = undo(recorded(entry), whole(recorded(entry)), None)
    reversal = undone.entry(entry, entry.id)
    again = undo(recorded(reversal), whole(recorded(reversal)), None)
    assert again.lines == entry.lines
    assert sums_by_currency((*undone.lines, *entry.lines)) == dict.fromkeys(sums_by_currency(entry.lines), 0)


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        ((Part(2, euros(1)),), UnknownLine),
        ((Part(0, Money(1, "GBP")),), UnknownLine),
        ((Part(0, euros(101)), Part(1, euros(101))), MoreThanLeftToReverse),
        ((Part(0, euros(5)), Part(1, euros(4))), UnbalancedReversal),
        ((Part(0, euros(5)),), UnbalancedReversal),
    ],
)
def test_each_refusal_has_its_reason(parts: tuple[Part, ...], refusal: type[Refused]) -> None:
    """Of 100 on two lines in euro."""
    with pytest.raises(refusal):
        undo(recorded(a_sale(100)), (100, 100), parts)


def test_a_refused_entry_has_nothing_to_reverse() -> None:
    """Its lines were never posted."""
    refused = recorded(a_sale(), posted=False)
    assert whole(refused) == (0, 0)
    with pytest.raises(EntryNotPosted):
        undo(refused, whole(refused), None)


def test_what_closed_a_year_is_not_reversed() -> None:
    """What undid it would be income that was never earned: the income statement leaves closing entries out."""
    closed = recorded(replace(a_sale(100), kind=EntryKind.CLOSING))
    for parts in (None, (Part(0, euros(1)), Part(1, euros(1)))):
        with pytest.raises(ClosingEntryStands):
            undo(closed, whole(closed), parts)


@pytest.mark.parametrize("parts", [(), (Part(1, euros(1)), Part(1, euros(2)))])
def test_an_order_names_lines_and_each_once(parts: tuple[Part, ...]) -> None:
    """No part, or a line named twice, is no order."""
    with pytest.raises(Invalid):
        ReversalOrder(a_sale().id, parts)


@pytest.mark.parametrize(("line", "amount"), [(-1, 1), (0, 0), (0, -1)])
def test_a_part_is_a_positive_amount_of_a_line(line: int, amount: int) -> None:
    """Neither the side nor the place is said by a sign."""
    with pytest.raises(Invalid):
        Part(line, euros(amount))


def test_a_reversal_and_its_refusal_are_read_as_written() -> None:
    """The original, and for each line the place that it undoes; a refused command has none."""
    undone = undo(recorded(a_sale(100)), (100, 100), None)
    reversal = undone.entry(a_sale(name="r"), a_sale().id)
    command = RefusedCommand(entry_id("c"), (), TODAY, "c", "h", reverses=Reverses(a_sale().id, ()))
    for entry, refusal in ((reversal, None), (command, NothingLeftToReverse("nothing is left"))):
        write = write_entry(ACME, entry, refusal)
        document = Document(write.ref, {**write.fields, "recorded_at": NOON}, "1", NOON)
        read = read_entry(document)
        assert (read.entry, read.posted) == (entry.posted_at(NOON), refusal is None)
        assert (read.entry.reverses, read.entry.content_hash) == (entry.reverses, write.fields["content_hash"])


def test_the_content_hash_covers_what_is_reversed() -> None:
    """The same lines that undo another entry, or other lines of it, are another content."""
    plain = a_sale()
    one, two, three = (
        JournalEntry(plain.id, plain.lines, TODAY, "c", "h", reverses=reverses)
        for reverses in (None, Reverses(entry_id("a"), (0, 1)), Reverses(entry_id("a"), (1, 0)))
    )
    assert len({one.content_hash, two.content_hash, three.content_hash}) == 3


def test_a_reversal_posts_no_closing_entry() -> None:
    """While a year is being closed its last month takes closing entries: what they move must stand still."""
    with pytest.raises(Invalid) as refused:
        ReversalOrder(entry_id("x"), kind=EntryKind.CLOSING)
    assert refused.value.field == "kind"
    assert ReversalOrder(entry_id("x"), kind=EntryKind.ADJUSTING).kind is EntryKind.ADJUSTING
