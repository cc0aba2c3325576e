"""The real ledger and the simple one side by side: how both are told, and what must hold after every step."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import cast

from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from shared.faults import Refused, Retryable
from shared.identity import TenantId
from shared.ledger.model import EntryKind, JournalEntry, Unbalanced
from shared.ledger.records import create_account, read_entry
from shared.ledger.rules.control import Control, Operation
from shared.ledger.rules.holds import read_hold
from shared.ledger.rules.pending import fold_pending
from shared.ledger.use_cases.batches import Batch, Mode
from shared.ledger.use_cases.control import read_operation
from shared.ledger.use_cases.holds import Holds
from shared.ledger.use_cases.reversals import Reversals
from shared.ledger.use_cases.together import Posting
from shared.ports import Decision, Document, Query
from tests.builders import NOON, a_call, entry_id
from tests.emulator.ledger.asked import (
    BANK,
    CHART,
    FAULTS,
    SALES,
    WALLET,
    Fault,
    Killed,
    Lines,
    Order,
    Several,
    dies,
    passes,
)
from tests.emulator.ledger.batching import batches, outcomes
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.derived import a_held, add, derive, outcome_of
from tests.emulator.ledger.model import Figures, Reference, Seen, Target
from tests.emulator.lines import Commit, Switch, held


@dataclass
class World:
    """Two instances over one database, and a fresh tenant for every example."""

    instances: list[Bookkeeping]
    tenants: int = 0

    def tenant(self) -> TenantId:
        """One whose books nobody opened."""
        self.tenants += 1
        return TenantId(f"reference{self.tenants}")


@dataclass
class Underway:
    """A commit that may still land, and what it was decided on."""

    commit: Commit
    seen: Seen


class Machine(RuleBasedStateMachine):
    """Orders to the real ledger and to the reference, side by side; which orders, its subclass says."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.instances, self.tenant = world.instances, world.tenant()
        self.reference = Reference()
        self.orders: list[Order] = []
        self.begun: dict[str, bool] = {}
        """Control orders on record, by key: whether they came to their end."""
        self.voided: set[str] = set()
        """Orders to void that were done, by key."""
        self.late: list[Underway] = []
        self.outside = sys.exc_info()[1]

    @initialize()
    def open_books(self) -> None:
        """Three accounts at first; the others are opened on the way, or missed."""
        self.reference.accounts = {code: CHART[code] for code in (BANK, SALES, WALLET)}
        writes = [
            write for account in self.reference.accounts.values() for write in create_account(self.tenant, account)
        ]
        self.instances[0].store.transact((), lambda _: Decision(None, tuple(writes)))

    # --- how they are told

    def an_order(self, order: Order) -> Order:
        """An order, to be told again later."""
        self.orders.append(order)
        return order

    def an_entry(self, drawn: Lines, on: date, kind: EntryKind) -> Order:
        """An order to post, under a name of its own."""
        name = f"e{len(self.orders)}"
        entry = JournalEntry(entry_id(name), drawn, on, name, "hash-1", kind).posted_at(NOON)
        return self.an_order(Order(a_call(name, tenant=self.tenant), entry))

    def a_batch(self, several: Several, on: date, kind: EntryKind) -> Order:
        """An order to post many, under a name of its own; each entry is an order too, to be told alone later."""
        call, before = a_call(f"b{len(self.orders)}", tenant=self.tenant), [one for one in self.orders if one.entry]
        each: list[Order | Refused] = []
        if before and several.again is not None:
            each.append(before[several.again % len(before)])
        each += [self.an_entry(lines, on, kind) for lines in several.new]
        if several.impossible and several.mode is Mode.INDEPENDENT:
            each.insert(1, Unbalanced("debits are not credits"))
        places = tuple(
            Posting(one.call, one.entry, audited=False) if isinstance(one, Order) and one.entry else one for one in each
        )
        batch = Batch(call.cause.stored_id("batch"), several.mode, cast("tuple[Posting | Refused, ...]", places))
        return self.an_order(Order(call, batch=batch, each=tuple(each)))

    def a_control(self, control: Control, target: Target) -> Order:
        """An order to close or freeze, under a name of its own."""
        call = a_call(f"c{len(self.orders)}", tenant=self.tenant, once=True)
        return self.an_order(Order(call, None, control, target))

    def switches(self, fault: Fault) -> tuple[Switch, ...]:
        """What happens to the next commits: so many pass, one does not."""
        if fault is None:
            return ()
        name, after = fault
        seen = self.reference.seen()

        def holding(then: Callable[[], object]) -> Switch:
            kept: list[Commit] = []

            def happens() -> None:
                self.late.append(Underway(kept[-1], seen))
                then()

            return held(kept, happens)

        faulty = FAULTS.get(name) or holding(dies if "killed" in name else lambda: None)
        return (*[passes] * after, faulty)

    def tell(self, order: Order, one: int, switches: tuple[Switch, ...] = ()) -> None:
        """Ask the ledger over a line that may fail, and hold its answer against the reference's."""
        instance, seen = self.instances[one], self.reference.seen()
        instance.line.commits = list(switches)
        try:
            answer = self.ask_until_heard(order, instance)
        except Killed:
            self.settle(seen)
            return
        finally:
            instance.line.commits = []
        note(f"{order.key} -> {answer}")
        if order.control:
            if order.key not in self.begun:
                assert answer == self.reference.control(order.control, order.target)
            else:
                assert answer == "done"
            self.settle(seen)
            assert self.begun.get(order.key, answer != "done")
        else:
            self.take_down(order, answer, seen)

    def ask_until_heard(self, order: Order, instance: Bookkeeping) -> str:
        """Ask, and once more where the store itself was silent, as it may be on a busy machine; no other silence is."""
        silences = instance.line.silences
        answer = self.ask(order, instance)
        if instance.line.silences > silences and not order.control and "retry_later" in answer.split():
            note(f"{order.key} -> {answer}, after {instance.line.silences - silences} silences of the store")
            return self.ask(order, instance)
        return answer

    def ask(self, order: Order, instance: Bookkeeping) -> str:
        """The answer as one word."""
        try:
            return self.asked(order, instance)
        except (Refused, Retryable) as fault:
            return fault.code

    @staticmethod
    def asked(order: Order, instance: Bookkeeping) -> str:
        """What is answered to an order that is not refused; to an independent batch one word an entry."""
        call, holds = order.call, Holds(instance.desk, instance.books)
        if order.batch:
            words = outcomes(batches(instance).post(call, order.batch))
            return "posted" if order.linked and set(words) == {"posted"} else " ".join(words)
        if order.control:
            return "done" if instance.controls.run(call, order.control, order.target).answer.done else "running"
        if order.reserve:
            holds.reserve(call, order.reserve)
            return "reserved"
        if order.void or order.expire:
            return (holds.void if order.void else holds.expire)(call, order.hold).answer.state.value
        if order.use:
            recorded = holds.post(call, order.hold, order.use).answer
        elif order.reverse:
            recorded = Reversals(instance.desk, instance.books).reverse(call, order.reverse).answer
        else:
            assert order.entry
            recorded = instance.books.post(call, order.entry).answer
        return "posted" if recorded.posted else "?"

    def take_down(self, order: Order, answer: str, seen: Seen) -> None:
        """Hold what a money command was answered, or came to, against the reference, and tell the reference."""
        if order.reserve:
            wanted = a_held(order)
            assert answer in self.reference.hold(order.id, wanted, seen)
            self.reference.keep(order.id, wanted, answer)
        elif order.void or order.expire:
            self.take_down_release(order, answer)
        elif order.batch:
            self.take_down_batch(order, answer, seen)
        else:
            wanted_entry = derive(self.reference, order)
            assert answer in self.reference.answers(wanted_entry, seen)
            if order.id not in self.reference.journal and answer != "idempotency_key_reused":
                document = self.instances[0].store.get([order.fact])[order.fact]
                assert document is not None
                recorded = read_entry(document).entry
                assert recorded == wanted_entry.entry or not recorded.lines
                self.reference.record(wanted_entry, answer, recorded)

    def take_down_batch(self, order: Order, answer: str, seen: Seen) -> None:
        """A linked batch is one fact; of an independent one each entry is, and what could not be built is none."""
        if order.linked:
            wanted = [derive(self.reference, one) for one in order.each if isinstance(one, Order)]
            assert answer in self.reference.linked(order.id, wanted, seen)
            self.reference.keep_linked(order.id, wanted, answer)
            return
        for one, word in zip(order.each, answer.split(), strict=True):
            if isinstance(one, Order):
                self.take_down(one, word, seen)
            else:
                assert word == one.code

    def take_down_release(self, order: Order, answer: str) -> None:
        """A hold is voided once and expires once; what ended stays as it ended."""
        hold, end = self.reference.holds[order.hold], "voided" if order.void else "expired"
        if order.key in self.voided:
            assert answer == "voided"
        elif hold.state == "reserved":
            assert answer == end
            hold.state = end
            if order.void:
                self.voided.add(order.key)
        else:
            assert answer == ("hold_ended" if order.void else hold.state.split()[0])

    def settle(self, seen: Seen) -> None:
        """Tell the reference what landed without an answer; it must have been allowed."""
        unknown = [order for order in self.orders if self.open_question(order)]
        # a linked batch says more than that its entries are there
        unknown.sort(key=lambda order: not order.linked)
        documents = self.instances[0].store.get([order.fact for order in unknown])
        for order in unknown:
            document = documents[order.fact]
            if document is None or not self.open_question(order):
                continue
            if order.control:
                self.note_operation(order, order.control, read_operation(document))
            elif order.expire:
                if (
                    read_hold(document).state.value == "expired"
                    and self.reference.holds[order.hold].state == "reserved"
                ):
                    self.take_down(order, "expired", seen)
            else:
                self.take_down(order, "voided" if order.void else outcome_of(order, document), seen)

    def open_question(self, order: Order) -> bool:
        """Whether the reference may not have heard the last of an order."""
        if order.control:
            return not self.begun.get(order.key, False)
        if order.batch:
            return order.linked and order.id not in self.reference.batches
        if order.reserve:
            return order.id not in self.reference.holds
        if order.void:
            return order.key not in self.voided
        if order.expire:
            return self.reference.holds[order.hold].state == "reserved"
        return order.id not in self.reference.journal

    def note_operation(self, order: Order, control: Control, operation: Operation) -> None:
        """An operation that is on record has begun, and perhaps ended."""
        if order.key not in self.begun:
            self.reference.begin(control, order.target)
        if operation.done:
            self.reference.end(order.target)
        self.begun[order.key] = operation.done

    # --- what must hold

    @invariant()
    def figures_agree(self) -> None:
        """The entries are those of the reference; totals, days, guards, inflows and reserved sums are their fold."""
        assert {document.ref.key for document in self.documents("entries")} == self.reference.journal.keys()
        totals: dict[tuple[str, ...], Figures] = {}
        for document in self.documents("totals"):
            key = tuple(str(document[name]) for name in ("account", "currency", "month", "kind"))
            add(totals.setdefault(key, {}), document.fields)
        assert totals == self.reference.totals()
        guards = self.documents("guards")
        inflows = {document.ref.key: document["credits"] for document in self.documents("inflows")}
        assert {document.ref.key: document["spent"] for document in guards} == self.reference.spent()
        assert {document.ref.key: document["held"] for document in guards} == self.reference.held()
        assert inflows == self.reference.received()
        reserved = fold_pending(self.documents("pending"))
        assert {key: (one.debits, one.credits) for key, one in reserved.items()} == self.reference.reserved()

    @invariant()
    def what_is_left_agrees(self) -> None:
        """Of no entry was more reversed than posted, and of no hold more posted than reserved."""
        left = {document.ref.key: document["left"] for document in self.documents("reversals")}
        assert left == self.reference.left
        assert all(amount >= 0 for amounts in self.reference.left.values() for amount in amounts)
        holds = {document.ref.key: read_hold(document) for document in self.documents("holds")}
        assert {key: hold.left for key, hold in holds.items()} == {
            key: tuple(hold.left) for key, hold in self.reference.holds.items()
        }
        assert {key: hold.state.value for key, hold in holds.items()} == {
            key: hold.state.split()[0] for key, hold in self.reference.holds.items()
        }

    @invariant()
    def no_floor_is_broken(self) -> None:
        """No floored account was ever below its floor, what is held counted as gone."""
        received, spent, gone = self.reference.received(), self.reference.spent(), self.reference.held()
        for code, account in self.reference.accounts.items():
            assert account.floor is None or account.floor.limit + received[code] - spent[code] - gone[code] >= 0

    @invariant()
    def nothing_lives_where_nothing_may_land(self) -> None:
        """Once a close or freeze is answered, no totals document of its target still permits a posting."""
        states = self.reference.states
        for document in self.documents("totals"):
            if not document["closed"]:
                closing = states.get(str(document["month"]), "open")
                shut = closing == "hard_close" or (closing == "soft_close" and document["kind"] == "regular")
                assert document["month"] in self.reference.running or not shut
                frozen = states.get(str(document["account"])) == "freeze"
                assert document["account"] in self.reference.running or not frozen

    def teardown(self) -> None:
        """The journal holds what the reference holds, and the proof of the books holds.

        Unless a step failed: the reference did not hear of it then, and what is missing there would hide the failure.
        """
        if sys.exc_info()[1] is not self.outside:
            return
        recorded = [read_entry(document) for document in self.documents("entries")]
        outcomes = {one.entry.id: str(one.refusal["code"]) if one.refusal else "posted" for one in recorded}
        assert outcomes == self.reference.outcomes
        assert {one.entry.id: one.entry for one in recorded} == self.reference.journal
        linked = {order.id: outcome_of(order, document) for order, document in self.linked_batches()}
        assert linked == self.reference.batches
        assert self.instances[0].proofs.prove(a_call("proof", tenant=self.tenant)).answer.holds

    def linked_batches(self) -> list[tuple[Order, Document]]:
        """Orders for linked batches with their records."""
        records = {document.ref.key: document for document in self.documents("batches")}
        return [(order, records[order.id]) for order in self.orders if order.linked and order.id in records]

    def documents(self, collection: str) -> tuple[Document, ...]:
        """Everything of the tenant in a collection."""
        return self.instances[0].store.query(Query(collection, self.tenant)).documents
