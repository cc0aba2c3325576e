"""Any reversals of anything, answers lost on the way: the ledger answers, refuses and adds up as a simple model."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from shared.calls import Call
from shared.faults import Refused
from shared.identity import StoredId, TenantId
from shared.ledger.chart import opening_chart
from shared.ledger.model import AccountCode, JournalEntry, Line, Side, credit, debit
from shared.ledger.records import create_account
from shared.ledger.rules.reversals import Part, ReversalOrder
from shared.ledger.use_cases.reversals import Reversals
from shared.ports import Decision
from shared.settings import Settings
from tests.builders import TODAY, a_call, entry_id, euros
from tests.emulator.ledger.conftest import Bookkeeping, bookkeeping
from tests.emulator.ledger.reversing import WALLET
from tests.emulator.lines import lost, unsent

EXAMPLES, STEPS = 20, 10
BANK, SALES = "assets:bank", "revenue:sales"
DEPOSIT = (debit(BANK, euros(100)), credit(WALLET.code, euros(60)), credit(SALES, euros(40)))
SPENT = (debit(WALLET.code, euros(30)), credit(BANK, euros(30)))
_tenants = count(1)


@dataclass
class Simple:
    """The journal as plain sums: lines and what is left of them by entry, and balances, debits positive."""

    lines: dict[StoredId, tuple[Line, ...]] = field(default_factory=dict)
    left: dict[StoredId, list[int]] = field(default_factory=dict)
    balances: dict[AccountCode, int] = field(default_factory=dict)

    def post(self, key: StoredId, lines: tuple[Line, ...]) -> str:
        """Post unless the wallet would be overdrawn."""
        after = dict(self.balances)
        for line in lines:
            sign = 1 if line.side is Side.DEBIT else -1
            after[line.account] = after.get(line.account, 0) + sign * line.money.amount
        if after.get(WALLET.code, 0) > 0:
            return "insufficient_funds"
        self.balances, self.lines[key] = after, lines
        self.left[key] = [line.money.amount for line in lines]
        return "posted"

    def reverse(self, key: StoredId, original: StoredId, parts: dict[int, int] | None) -> str:
        """What a reversal comes to."""
        if original not in self.lines:
            return "entry_not_posted"
        lines, left = self.lines[original], self.left[original]
        if not any(left):
            return "nothing_left_to_reverse"
        asked = dict(enumerate(left)) if parts is None else parts
        for place, amount in asked.items():
            if place >= len(lines):
                return "unknown_line"
            if amount > left[place]:
                return "more_than_left_to_reverse"
        sides = {side: sum(asked[place] for place in asked if lines[place].side is side) for side in Side}
        if sides[Side.DEBIT] != sides[Side.CREDIT]:
            return "unbalanced_reversal"
        undone = tuple(
            Line(lines[place].account, lines[place].side.other, euros(asked[place]))
            for place in sorted(asked)
            if asked[place]
        )
        outcome = self.post(key, undone)
        if outcome == "posted":
            self.left[original] = [have - asked.get(place, 0) for place, have in enumerate(left)]
        return outcome


@pytest.fixture
def two(settings: Settings) -> Iterator[tuple[Bookkeeping, Bookkeeping]]:
    """Two instances over one database."""
    pair = (bookkeeping(settings), bookkeeping(settings))
    yield pair
    for one in pair:
        one.line.close()


@bounds(
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=(Phase.generate,),  # a failure is bounded in time rather than made small
)
@given(st.data())
def test_reversals_answer_refuse_and_add_up_as_the_simple_ones(
    two: tuple[Bookkeeping, Bookkeeping], data: st.DataObject
) -> None:
    """Whole or in part, of entries and of reversals, told again to another instance: the same outcome every time."""
    tenant, simple = TenantId(f"t{next(_tenants)}"), Simple()
    chart = (*opening_chart(tenant), *create_account(tenant, WALLET))
    two[0].store.transact((), lambda _: Decision(None, chart))
    known = [entry_id("deposit"), entry_id("spent")]
    for key, name, lines in zip(known, ("deposit", "spent"), (DEPOSIT, SPENT), strict=True):
        entry = JournalEntry(key, lines, TODAY, name, "hash-1")
        two[0].books.post(a_call(name, tenant=tenant), entry)
        assert simple.post(key, lines) == "posted"
    for step in range(data.draw(st.integers(3, STEPS))):
        call = a_call(f"r{step}", tenant=tenant)
        original = data.draw(st.sampled_from(known))
        parts = data.draw(drawn_parts(simple, original) | st.none())
        order = None if parts is None else tuple(Part(place, euros(amount)) for place, amount in parts.items())
        wanted, expected = (
            ReversalOrder(original, order),
            simple.reverse(call.cause.stored_id("entry"), original, parts),
        )
        for one in data.draw(st.permutations(two)):
            one.line.commits.extend(data.draw(st.sampled_from([[], [], [lost], [unsent]])))
            assert outcome(Reversals(one.desk, one.books), call, wanted) == expected
            one.line.commits.clear()
        if expected == "posted" or data.draw(st.integers(1, 5)) == 1:
            known.append(call.cause.stored_id("entry"))
    agree(two[1], tenant, simple)


def drawn_parts(simple: Simple, original: StoredId) -> st.SearchStrategy[dict[int, int]]:
    """Parts of an entry: mostly as much of a debit as of a credit, sometimes anything."""
    lines = simple.lines.get(original, DEPOSIT)
    sides = {side: [place for place, line in enumerate(lines) if line.side is side] for side in Side}
    pairs = st.tuples(st.sampled_from(sides[Side.DEBIT]), st.sampled_from(sides[Side.CREDIT]), st.integers(1, 45))
    balanced = pairs.map(lambda drawn: {drawn[0]: drawn[2], drawn[1]: drawn[2]})
    return (
        balanced | balanced | balanced | st.dictionaries(st.integers(0, 3), st.integers(1, 70), min_size=1, max_size=3)
    )


def outcome(reversals: Reversals, call: Call, order: ReversalOrder) -> str:
    """Posted, or the refusal's code."""
    try:
        done = reversals.reverse(call, order)
    except Refused as refused:
        return refused.code
    assert done.answer.posted
    return "posted"


def agree(kept: Bookkeeping, tenant: TenantId, simple: Simple) -> None:
    """What is left of every entry and what stands on every account is the model's."""
    reversals = Reversals(kept.desk, kept.books)
    assert {key: list(reversals.of(tenant, key, 50, None).left) for key in simple.lines} == simple.left
    rows = kept.reports.trial_balance(tenant, "2026-11").rows
    assert {row.account: row.debits - row.credits for row in rows if row.debits - row.credits} == {
        code: amount for code, amount in simple.balances.items() if amount
    }
    assert kept.proofs.prove(a_call("proof", tenant=tenant)).answer.holds
