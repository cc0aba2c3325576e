"""Any sequence of orders, faults and redeliveries: the real ledger answers and adds up as the simple one does."""

import os
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any, Final, cast

import pytest
from hypothesis import HealthCheck, Phase, assume
from hypothesis import settings as bounds
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from shared.gcp.rpc import RpcFailed
from shared.ledger.model import EntryKind
from shared.ledger.refusals import AccountExists
from shared.ledger.rules.control import Control
from shared.ledger.rules.holds import PostOrder
from shared.ledger.rules.reversals import Part, ReversalOrder
from shared.ledger.use_cases.accounts import Chart
from shared.ledger.use_cases.holds import HoldOrder
from shared.money import Money
from shared.settings import Settings
from tests.builders import NOON, a_call
from tests.emulator.ledger.asked import (
    CHART,
    Fault,
    Lines,
    Order,
    Several,
    controls,
    days,
    drawn,
    faults,
    kinds,
    lines,
    purses,
    several,
    which,
    who,
)
from tests.emulator.ledger.conftest import bookkeeping
from tests.emulator.ledger.derived import a_pair
from tests.emulator.ledger.held import AFTER, LATER
from tests.emulator.ledger.machine import Machine, World
from tests.emulator.ledger.model import Target
from tests.emulator.lines import first, lost_then

EXAMPLES: Final = int(os.environ.get("DAYBOOK_STATEFUL_EXAMPLES", "0"))  # noqa: TID251 - how long to look, for people
"""How many random books to keep; without it a few, the same ones every time."""


class Ledger(Machine):
    """What may be asked, in any order."""

    # --- orders

    @rule(code=st.sampled_from(tuple(CHART)), one=who)
    def open_account(self, code: str, one: int) -> None:
        """An account that is there already is refused."""
        call = a_call(f"open-{code}", tenant=self.tenant)
        chart = Chart(self.instances[one].desk)
        if code in self.reference.accounts:
            with pytest.raises(AccountExists):
                chart.open_account(call, CHART[code])
            return
        chart.open_account(call, CHART[code])
        self.reference.accounts[code] = CHART[code]

    @rule(lines=drawn, on=days, kind=kinds, one=who, fault=faults)
    def post(self, lines: Lines, on: date, kind: EntryKind, one: int, fault: Fault) -> None:
        """Posted, or refused for the same reason."""
        self.tell(self.an_entry(lines, on, kind), one, self.switches(fault))

    @rule(several=several, on=days, kind=kinds, one=who, fault=faults)
    def post_batch(self, several: Several, on: date, kind: EntryKind, one: int, fault: Fault) -> None:
        """Linked, all or nothing, for the first reason; independent, each for itself, and a bad one fails alone."""
        self.tell(self.a_batch(several, on, kind), one, self.switches(fault))

    @rule(order=controls, one=who, fault=faults)
    def close_or_freeze(self, order: tuple[Control, Target], one: int, fault: Fault) -> None:
        """Done, refused for the same reason, or told to come again while another is at work."""
        self.tell(self.a_control(*order), one, self.switches(fault))

    @rule(index=which, amount=st.none() | st.integers(1, 30), on=days, one=who, fault=faults)
    def reverse(self, index: int, amount: int | None, on: date, one: int, fault: Fault) -> None:
        """The rest of any entry, a reversal too, or the same amount of two of its lines: never more than is left."""
        assume(self.reference.journal)
        original = list(self.reference.journal.values())[index % len(self.reference.journal)]
        parts = amount and tuple(Part(place, Money(amount, line.money.currency)) for place, line in a_pair(original))
        call = a_call(f"r{len(self.orders)}", tenant=self.tenant)
        self.tell(
            self.an_order(Order(call, reverse=ReversalOrder(original.id, parts or None, on))), one, self.switches(fault)
        )

    @rule(lines=purses | purses | lines(), one=who, fault=faults)
    def reserve(self, lines: Lines, one: int, fault: Fault) -> None:
        """Held, or refused for the same reason."""
        call = a_call(f"h{len(self.orders)}", tenant=self.tenant)
        self.tell(self.an_order(Order(call, reserve=HoldOrder(lines, LATER))), one, self.switches(fault))

    @rule(index=which, amount=st.none() | st.integers(1, 30), final=st.booleans(), one=who, fault=faults)
    def post_hold(self, index: int, amount: int | None, *, final: bool, one: int, fault: Fault) -> None:
        """All that is left of a hold or a part, in time or after: never more than it reserves."""
        assume(self.reference.holds)
        key, hold = list(self.reference.holds.items())[index % len(self.reference.holds)]
        part = amount and tuple(replace(line, money=Money(amount, line.money.currency)) for _, line in a_pair(hold))
        call = a_call(f"u{len(self.orders)}", tenant=self.tenant, at=AFTER if index % 5 == 0 else NOON)
        use = PostOrder(part or None, final, None)
        self.tell(self.an_order(Order(call, use=use, hold=key)), one, self.switches(fault))

    @rule(index=which, expire=st.booleans(), one=who, fault=faults)
    def release_hold(self, index: int, *, expire: bool, one: int, fault: Fault) -> None:
        """Voided, or expired by the sweep: what was reserved is free again, once."""
        assume(self.reference.holds)
        key = list(self.reference.holds)[index % len(self.reference.holds)]
        call = a_call(f"v{len(self.orders)}", tenant=self.tenant, once=not expire, at=AFTER if expire else NOON)
        self.tell(self.an_order(Order(call, void=not expire, expire=expire, hold=key)), one, self.switches(fault))

    @rule(index=which, one=who, fault=faults)
    def tell_again(self, index: int, one: int, fault: Fault) -> None:
        """The same request once more, to either instance: the same answer."""
        assume(self.orders)
        self.tell(self.orders[index % len(self.orders)], one, self.switches(fault))

    @rule(index=which, lines=lines(), one=who)
    def tell_another_body(self, index: int, lines: Lines, one: int) -> None:
        """Another request under an id that was used: refused, and nothing written."""
        assume(self.orders)
        order = self.orders[index % len(self.orders)]
        call = replace(order.call, request_hash="hash-2")
        if order.entry and order.id in self.reference.journal:
            entry = replace(order.entry, lines=lines, request_hash="hash-2")
            self.tell(replace(order, call=call, entry=entry), one)
        elif (order.reverse or order.use) and order.id in self.reference.journal:
            self.tell(replace(order, call=call), one)
        if (order.control and order.key in self.begun) or (order.linked and order.id in self.reference.batches):
            assert self.ask(replace(order, call=call), self.instances[one]) == "idempotency_key_reused"

    @rule(ours=drawn, theirs=drawn, order=st.one_of(st.none(), controls), landed=st.booleans(), one=who)
    def meanwhile(
        self, ours: Lines, theirs: Lines, order: tuple[Control, Target] | None, *, landed: bool, one: int
    ) -> None:
        """Something else happens between an entry's decision and its commit, or between its commit and the answer."""
        on, regular = date(2026, 11, 16), EntryKind.REGULAR
        slow = self.an_entry(ours, on, regular)
        quick = self.a_control(*order) if order else self.an_entry(theirs, on, regular)
        seen = self.reference.seen()

        def happens() -> None:
            self.settle(seen)
            self.tell(quick, 1 - one)

        self.tell(slow, one, (lost_then(happens) if landed else first(happens),))

    @rule(one=who)
    def resume(self, one: int) -> None:
        """The tasks of operations whose instances died bring them to their end."""
        for order in self.orders:
            if self.begun.get(order.key) is False:
                assert self.instances[one].controls.finish(self.tenant, order.operation).done
        self.settle(self.reference.seen())
        assert not self.reference.running

    @rule(index=which)
    def land(self, index: int) -> None:
        """A commit that was held up arrives, or finds that it came too late."""
        assume(self.late)
        underway = self.late.pop(index % len(self.late))
        with suppress(RpcFailed):
            underway.commit()
        self.settle(underway.seen)


def test_the_ledger_answers_refuses_and_adds_up_as_the_simple_one(settings: Settings) -> None:
    """Random orders over a line that fails, to two instances: the same answers, the same sums."""
    world = World([bookkeeping(settings), bookkeeping(settings)])
    run = bounds(
        max_examples=EXAMPLES or 20,
        stateful_step_count=50 if EXAMPLES else 30,
        derandomize=not EXAMPLES,
        database=None,
        phases=tuple(Phase) if EXAMPLES else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    run_state_machine_as_test(cast("Any", lambda: Ledger(world)), settings=run)
    for instance in world.instances:
        instance.line.close()
