"""What must always be so: looked at after every commit."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast

from shared.invoicing.model import TRANSITIONS as INVOICE_STEPS
from shared.ledger.line_text import read_lines
from shared.ledger.model import Side
from shared.payments.refunds.model import TRANSITIONS as REFUND_STEPS
from shared.payroll.runs import TRANSITIONS as RUN_STEPS
from shared.ports import Fields
from tests.simulation.documents import Stored
from tests.simulation.firestore import Change
from tests.simulation.world import CANARY, World

Spot = tuple[str, str, str, str]
"""Tenant, account, currency and month."""

_HOLD_STEPS: Final = {"reserved": {"reserved", "posted", "voided", "expired"}}
_EVENT_STEPS: Final = {"received": {"applied", "stale", "refused"}}
_INVOICE_STEPS: Final = {
    state.value: {after.value for ends in steps.values() for after in ends} for state, steps in INVOICE_STEPS.items()
}
_RUN_STEPS: Final = {state.value: {after.value for after in ends} for state, ends in RUN_STEPS.items()}
_REFUND_STEPS: Final = {state.value: {after.value for after in ends.values()} for state, ends in REFUND_STEPS.items()}
STEPS: Final[Mapping[str, Mapping[str, set[str]]]] = {
    "allocations": {"made": {"undone"}},
    "holds": _HOLD_STEPS,
    "inbox": _EVENT_STEPS,
    "invoices": _INVOICE_STEPS,
    "payroll_runs": _RUN_STEPS,
    "refund_requests": _REFUND_STEPS,
}
"""From each state of each thing to the states that may follow: no way back."""

NEVER_CHANGE: Final = frozenset(
    {
        "entries",
        "audit",
        "seals",
        "leaves",
        "payslips",
        "receipts",
        "invoice_numbers",
        "webhook_attempts",
        "webhook_messages",
    }
)


CLOCKS: Final = timedelta(seconds=10)
"""How far the clocks of two instances may be apart."""


@dataclass
class Watch:
    """Looks at every commit of the main database."""

    world: World
    folds: defaultdict[Spot, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    totals: defaultdict[Spot, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    entries: Counter[str] = field(default_factory=Counter)
    """Posted entries by tenant and cause."""
    rows: set[str] = field(default_factory=set)
    """Ids of all messages that ever had a row in the outbox."""
    crossed: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Crossings that were announced, by monitor."""
    handed_over: set[str] = field(default_factory=set)
    """Ids of all messages that the queue or a topic has taken."""
    stopped: set[tuple[str, str]] = field(default_factory=set)
    """Tenant and account or month whose freeze or close was answered: nothing may land there any more."""
    floorless: set[tuple[str, str]] = field(default_factory=set)
    """Tenant and account whose floor is taken away, though not everybody knows it yet: it may fall below."""
    floors: dict[tuple[str, str], int] = field(default_factory=dict)
    """By tenant and account of the credit side: how far below zero it may stand, as it was answered."""
    posted: dict[str, list[int]] = field(default_factory=dict)
    """What is left to reverse of each posted entry, by line."""

    def look(self, changes: Sequence[Change]) -> None:
        """Judge a commit by itself and by what it leaves."""
        touched: set[Spot] = set()
        for change in changes:
            if change.before is change.after:
                continue
            self._judge(change)
            touched |= self._count(change)
        for place in sorted(touched):
            if _not_zero(self.folds[place]) != _not_zero(self.totals[place]):
                self.world.violated(f"totals of {place} are {self.totals[place]}, their entries {self.folds[place]}")
        self._floors(changes)

    def _judge(self, change: Change) -> None:
        before, after = change.before, change.after
        collection = cast("Stored", after or before).collection
        if collection in NEVER_CHANGE and before is not None:
            self.world.violated(f"a document of {collection} was changed")
        if after is None:
            return
        for text in _texts(after.fields):
            if CANARY in text:
                self.world.violated(f"plaintext of a person in {collection}")
        if before is not None:
            self._judge_step(collection, before.fields, after.fields)
        if collection in {"proofs", "samples"} and after.fields.get("holds") is False:
            self.world.violated(f"a false alarm of {collection}: {after.fields.get('differences')!s}")
        if collection == "holds" and after.fields["state"] == "expired":
            early = cast("datetime", after.fields["expires_at"]) - self.world.now
            if early > CLOCKS:
                self.world.violated(f"a hold expired {early} before its time")

    def _judge_step(self, collection: str, before: Fields, after: Fields) -> None:
        """Nothing goes back: neither a state nor what a payment came to."""
        if collection in STEPS:
            was, now = str(before["state"]), str(after["state"])
            if was != now and now not in STEPS[collection].get(was, set()):
                self.world.violated(f"{collection} went from {was} to {now}")
        if collection == "payments":
            for name in ("received", "reversal_told", "version"):
                if cast("int", after[name]) < cast("int", before[name]):
                    self.world.violated(f"a payment's {name} went down")

    def sent(self, message: str) -> None:
        """An announcement is published: its fact, and with it its row, must have been written before."""
        self.handed_over.add(message)
        if message not in self.rows:
            self.world.violated("a message was sent before its fact was written")

    def _count(self, change: Change) -> set[Spot]:
        """Keep both sides of the books up to date; the places that a commit touched."""
        state = cast("Stored", change.after or change.before)
        tenant = state.name.split("/documents/")[1].split("/")[1]
        if state.collection == "entries" and change.after is not None:
            self._reversed(change.after)
            return self._post(tenant, change.after.fields)
        if state.collection == "outbox":
            self.rows.add(state.name.rsplit("/", 1)[-1])
            if state.fields.get("type") == "ledger.balance_crossed":
                self.crossed[str(state.fields["subject"])].add(cast("int", state.fields["subject_version"]))
        if state.collection != "totals":
            return set()
        fields = state.fields
        place = (tenant, str(fields["account"]), str(fields["currency"]), str(fields["month"]))
        for one, sign in ((change.before, -1), (change.after, 1)):
            if one is not None:
                for name in ("debits", "credits", "count"):
                    self.totals[place][name] += sign * cast("int", one.fields.get(name, 0))
        return {place}

    def _post(self, tenant: str, fields: Fields) -> set[Spot]:
        if fields["outcome"] != "posted":
            return set()
        self.entries[f"{tenant} {fields['cause']!s}"] += 1
        lines = read_lines(cast("list[str]", fields["lines"]))
        places = {str(fields["month"]), *(line.account for line in lines)}
        narrowed = {f"{line.account} {line.money.currency}" for line in lines}
        for name in places | narrowed:
            if (tenant, name) in self.stopped:
                self.world.violated(f"an entry landed on {name} after it was closed or frozen")
        touched: set[Spot] = set()
        sums: Counter[str] = Counter()
        for line in lines:
            place = (tenant, line.account, line.money.currency, str(fields["month"]))
            side, amount = f"{line.side.value}s", line.money.amount
            self.folds[place][side] += amount
            sums[line.money.currency] += amount if line.side is Side.DEBIT else -amount
            touched.add(place)
        for place in touched:
            self.folds[place]["count"] += 1
            floor = self.floors.get(place[:2])
            if floor is not None and self.stands(*place[:2]) + floor < 0:
                self.world.violated(f"{place[1]} fell below its floor")
        if any(sums.values()):
            self.world.violated(f"an entry does not balance: {sums}")
        return touched

    def _reversed(self, entry: Stored) -> None:
        """No more of a line is reversed than it had."""
        fields = entry.fields
        if fields["outcome"] != "posted":
            return
        lines, tenant = read_lines(cast("list[str]", fields["lines"])), entry.name.rsplit("/", 2)[0]
        self.posted[entry.name] = [line.money.amount for line in lines]
        original = fields.get("reverses")
        if original is None:
            return
        left = self.posted[f"{tenant}/entries/{original}"]
        for line, place in zip(lines, cast("list[int]", fields["reversed_lines"]), strict=True):
            left[place] -= line.money.amount
        if min(left) < 0:
            self.world.violated("more of an entry was reversed than was posted")

    def stands(self, tenant: str, code: str) -> int:
        """Credits less debits of an account, by its entries."""
        return sum(
            counted["credits"] - counted["debits"]
            for place, counted in self.folds.items()
            if place[:2] == (tenant, code)
        )

    def _floors(self, changes: Iterable[Change]) -> None:
        """A guard's own figures: what was spent and held never exceeds what came in, by its entries."""
        for change in changes:
            state = change.after
            if state is None or state.collection not in {"guards", "accounts"}:
                continue
            tenant, code = state.name.split("/")[-3], state.name.rsplit("/", 1)[-1]
            if state.collection == "accounts":
                keep = self.floorless.add if state.fields["floor"] is None else self.floorless.discard
                keep((tenant, code))
                continue
            held = cast("int", state.fields["held"])
            balance = self.stands(tenant, code)
            if held < 0:
                self.world.violated(f"{code} has {held} held")
            left = balance - held + cast("int", state.fields["limit"])
            if left < 0 and (tenant, code) not in self.floorless:
                self.world.violated(f"{code} is overdrawn: {balance} with {held} held")


def _not_zero(counted: Counter[str]) -> dict[str, int]:
    return {name: amount for name, amount in counted.items() if amount}


def _texts(value: Any) -> Iterator[str]:
    """Every text in a document, also the bytes as text."""
    match value:
        case str():
            yield value
        case bytes():
            yield value.decode("latin-1")
        case Mapping():
            for one in value.values():
                yield from _texts(one)
        case list():
            for one in value:
                yield from _texts(one)
