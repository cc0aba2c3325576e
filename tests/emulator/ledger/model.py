"""The ledger at its simplest, for the real one to agree with: one thread, one journal, every figure folded afresh."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.identity import StoredId
from shared.ledger.model import Account, AccountCode, EntryKind, JournalEntry, Line, Month, Side
from shared.ledger.rules.control import Control
from shared.money import Money

POSTED = "posted"
Target = AccountCode | Month
Figures = dict[str, int]
"""Sums by field: `debits`, `credits`, `count`, and `d.16.debits` for a day's."""


@dataclass(frozen=True)
class Seen:
    """What a refusal that lands later may rest on: the accounts there were, and what floored ones had received."""

    accounts: frozenset[AccountCode]
    received: Figures


@dataclass
class Held:
    """A hold: its lines, what is left of each, when it expires, and `reserved`, `posted`, `voided`, `expired`..."""

    lines: tuple[Line, ...]
    left: list[int]
    expires_at: datetime
    request_hash: str
    state: str = "reserved"

    @property
    def open_lines(self) -> tuple[Line, ...]:
        """What it keeps in reserve."""
        return some(self.lines, self.left) if self.state == "reserved" else ()


@dataclass(frozen=True)
class Wanted:
    """A money command as the books stand: the reason against it, or the entry, and what a hold sets free for it."""

    id: StoredId
    request_hash: str
    entry: JournalEntry | None = None
    refusal: str = ""
    release: tuple[Line, ...] = ()
    over: bool = False
    """Whether the hold that it posts has come to its end."""


@dataclass
class Reference:
    """What was posted, refused, closed and frozen, in the order in which it became so."""

    accounts: dict[AccountCode, Account] = field(default_factory=dict)
    states: dict[Target, str] = field(default_factory=dict)
    """Of months and accounts; `open` when not named."""
    running: dict[Target, str] = field(default_factory=dict)
    """The state before a control operation that has begun and not come to its end."""
    journal: dict[StoredId, JournalEntry] = field(default_factory=dict)
    outcomes: dict[StoredId, str] = field(default_factory=dict)
    left: dict[StoredId, list[int]] = field(default_factory=dict)
    """What is left to reverse of an entry, by line; named once something was reversed."""
    holds: dict[StoredId, Held] = field(default_factory=dict)
    batches: dict[StoredId, str] = field(default_factory=dict)
    """What linked batches came to."""

    # --- money

    def answers(self, wanted: Wanted, seen: "Seen | None" = None) -> set[str]:
        """What may be answered now: one thing; more while a control operation is half done, or when it was `seen` so.

        An inflow may be stale, which only understates, and nobody can hold on to an account that is
        not there: a refusal may rest on either as it was when the order was decided, and on nothing else.
        """
        if (known := self.journal.get(wanted.id)) is not None:
            same = known.request_hash == wanted.request_hash
            return {self.outcomes[wanted.id] if same else "idempotency_key_reused"}
        entry = wanted.entry
        if entry is None:
            return {wanted.refusal}
        answers = {self._judge(wanted, self.states, self.received())}
        if self._judge(wanted, self.states | self.running, self.received()) == POSTED:
            answers.add(POSTED)
        if seen and not seen.accounts.issuperset(entry.accounts):
            answers.add("unknown_account")
        if seen and self._judge(wanted, self.states, seen.received) == "insufficient_funds":
            answers.add("insufficient_funds")
        return answers

    def seen(self) -> "Seen":
        """What an order that is decided now may rest on later."""
        return Seen(frozenset(self.accounts), self.received())

    def record(self, wanted: Wanted, outcome: str, entry: JournalEntry) -> None:
        """Take down what a command came to, and the entry that is kept of it; the first time is the only one."""
        if wanted.id in self.journal or outcome == "idempotency_key_reused":
            return
        self.journal[wanted.id], self.outcomes[wanted.id] = entry, outcome
        if outcome != POSTED:
            return
        if entry.reverses:
            left = self.left_of(entry.reverses.entry)
            for place, line in zip(entry.reverses.lines, entry.lines, strict=True):
                left[place] -= line.money.amount
            self.left[entry.reverses.entry] = left
        if entry.hold:
            hold = self.holds[entry.hold]
            hold.left = used(hold, entry.lines) or hold.left
            hold.state = "posted" if wanted.over else "reserved"

    def left_of(self, original: StoredId) -> list[int]:
        """What is left to reverse of an entry, by line."""
        return list(self.left.get(original) or [line.money.amount for line in self.journal[original].lines])

    def _judge(self, wanted: Wanted, states: Mapping[Target, str], received: Mapping[AccountCode, int]) -> str:
        """Posted, or the first reason against it."""
        entry = wanted.entry
        assert entry is not None
        if any(code not in self.accounts for code in entry.accounts):
            return "unknown_account"
        closed = {EntryKind.REGULAR: {"soft_close", "hard_close"}, EntryKind.ADJUSTING: {"hard_close"}}[entry.kind]
        if states.get(entry.month, "open") in closed:
            return "period_closed"
        brought = {code: self._brought(code, entry.lines) for code in entry.accounts}
        there = {code: received.get(code, 0) + brought.get(code, 0) for code in self.accounts}
        return self._stopped(entry.lines, wanted.release, states, there)

    def _stopped(
        self,
        lines: tuple[Line, ...],
        release: tuple[Line, ...],
        states: Mapping[Target, str],
        received: Mapping[AccountCode, int],
    ) -> str:
        """Posted, or the first reason in an account's state or floor."""
        codes = sorted({line.account for line in lines})
        if any(states.get(code, "open") == "freeze" for code in codes):
            return "account_frozen"
        for code in codes:
            floor = self.accounts[code].floor
            mine = [line for line in lines if line.account == code]
            if floor and any(line.money.currency != floor.currency for line in mine):
                return "floor_currency"
            more = self._taken(code, mine) - self._taken(code, release)
            if floor and more > 0 and floor.limit + received.get(code, 0) - self._gone(code) < more:
                return "insufficient_funds"
        return POSTED

    def _taken(self, code: AccountCode, lines: Iterable[Line]) -> int:
        return sum(line.money.amount for line in lines if line.account == code and self._takes(line))

    def _brought(self, code: AccountCode, lines: Iterable[Line]) -> int:
        return sum(line.money.amount for line in lines if line.account == code and not self._takes(line))

    def _gone(self, code: AccountCode) -> int:
        """What was spent of a floored account, or is held."""
        return self.spent()[code] + self.held()[code]

    def _takes(self, line: Line) -> bool:
        """Whether a line makes its account's balance smaller."""
        return line.side is not self.accounts[line.account].type.normal_side

    # --- linked batches

    def linked(self, key: StoredId, wanted: Sequence[Wanted], seen: "Seen | None" = None) -> set[str]:
        """What a linked batch may be answered: posted, or the first reason in a chain of single postings."""
        if key in self.batches:
            return {self.batches[key]}
        if any(one.id in self.journal for one in wanted):
            return {"entry_exists"}
        answers = {self._chained(wanted, self.states, self.received())}
        if self._chained(wanted, self.states | self.running, self.received()) == POSTED:
            answers.add(POSTED)
        codes = {code for one in wanted if one.entry for code in one.entry.accounts}
        if seen and not seen.accounts.issuperset(codes):
            answers.add("unknown_account")
        if seen and self._chained(wanted, self.states, seen.received) == "insufficient_funds":
            answers.add("insufficient_funds")
        return answers

    def keep_linked(self, key: StoredId, wanted: Sequence[Wanted], answer: str) -> None:
        """Take down what a linked batch came to; refused, nothing of its entries."""
        if self.batches.setdefault(key, answer) == POSTED:
            for one in wanted:
                assert one.entry
                self.record(one, POSTED, one.entry)

    def _chained(
        self, wanted: Sequence[Wanted], states: Mapping[Target, str], received: Mapping[AccountCode, int]
    ) -> str:
        """Each as if those before it stood, on books that are thrown away."""
        trial, before = replace(self, journal=dict(self.journal), outcomes=dict(self.outcomes)), self.received()
        for one in wanted:
            now = {code: received.get(code, 0) + sum_ - before[code] for code, sum_ in trial.received().items()}
            answer = trial._judge(one, states, now)
            if answer != POSTED:
                return answer
            assert one.entry
            trial.record(one, POSTED, one.entry)
        return POSTED

    # --- holds

    def hold(self, key: StoredId, held: Held, seen: "Seen | None" = None) -> set[str]:
        """What a new hold may be answered."""
        if (known := self.holds.get(key)) is not None:
            same = known.request_hash == held.request_hash
            first = known.state if known.state.startswith("refused") else "reserved"
            return {first.removeprefix("refused ") if same else "idempotency_key_reused"}
        codes = {line.account for line in held.lines}
        answers: set[str] = set()
        for received in (self.received(), seen.received if seen else self.received()):
            answer = "unknown_account"
            if codes <= self.accounts.keys():
                answer = self._stopped(held.lines, (), self.states, received)
            if received == self.received() or answer == "insufficient_funds":
                answers.add("reserved" if answer == POSTED else answer)
        if seen and not seen.accounts.issuperset(codes):
            answers.add("unknown_account")
        return answers

    def keep(self, key: StoredId, held: Held, answer: str) -> None:
        """Take down what a hold came to."""
        if key not in self.holds and answer != "idempotency_key_reused":
            self.holds[key] = replace(held, state=answer if answer == "reserved" else f"refused {answer}")

    def held(self) -> Figures:
        """What open holds would take from floored accounts, by code."""
        sums = {code: 0 for code, account in self.accounts.items() if account.floor}
        for hold in self.holds.values():
            for line in hold.open_lines:
                if line.account in sums and self._takes(line):
                    sums[line.account] += line.money.amount
        return sums

    def reserved(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Debits and credits that open holds reserve, by account and currency."""
        sums: dict[tuple[str, str], tuple[int, int]] = {}
        for hold in self.holds.values():
            for line in hold.open_lines:
                key, amount = (line.account, line.money.currency), line.money.amount
                debits, credits_ = sums.get(key, (0, 0))
                more = (amount, 0) if line.side is Side.DEBIT else (0, amount)
                sums[key] = (debits + more[0], credits_ + more[1])
        return sums

    # --- control operations

    def control(self, control: Control, target: Target) -> str:
        """What a new control operation on a target is answered."""
        if not control.is_period and target not in self.accounts:
            return "unknown_account"
        if target in self.running:
            return "retry_later"
        state = self.states.get(target, "open")
        fits = {
            Control.SOFT_CLOSE: {"open"},
            Control.HARD_CLOSE: {"open", "soft_close"},
            Control.REOPEN: {"soft_close", "hard_close"},
            Control.FREEZE: {"open"},
            Control.UNFREEZE: {"freeze"},
        }
        return "done" if state in fits[control] else "wrong_state"

    def begin(self, control: Control, target: Target) -> None:
        """The operation is on record; what it excludes may still land."""
        assert self.control(control, target) == "done"
        if control.retires:
            self.running[target] = self.states.get(target, "open")
        opens = control in {Control.UNFREEZE, Control.REOPEN}
        self.states[target] = "open" if opens else control.value

    def end(self, target: Target) -> None:
        """The operation is done: nothing lands any more that it excludes."""
        self.running.pop(target, None)

    # --- figures

    def posted(self) -> Iterator[JournalEntry]:
        """What moved money."""
        return (entry for key, entry in self.journal.items() if self.outcomes[key] == POSTED)

    def totals(self) -> dict[tuple[str, str, str, str], Figures]:
        """By account, currency, month and kind."""
        totals: dict[tuple[str, str, str, str], Figures] = {}
        for entry in self.posted():
            touched = set()
            for line in entry.lines:
                key = (line.account, line.money.currency, entry.month, entry.kind.value)
                figures = totals.setdefault(key, {})
                for name in (f"{line.side.value}s", f"d.{entry.effective_on.day:02d}.{line.side.value}s"):
                    figures[name] = figures.get(name, 0) + line.money.amount
                touched.add(key)
            for key in touched:
                totals[key]["count"] = totals[key].get("count", 0) + 1
        return totals

    def received(self) -> Figures:
        """What floored accounts took in, by code."""
        return self._moved(taken=False)

    def spent(self) -> Figures:
        """What left floored accounts, by code."""
        return self._moved(taken=True)

    def _moved(self, *, taken: bool) -> Figures:
        sums = {code: 0 for code, account in self.accounts.items() if account.floor}
        for entry in self.posted():
            for line in entry.lines:
                if line.account in sums and self._takes(line) is taken:
                    sums[line.account] += line.money.amount
        return sums


def some(lines: Iterable[Line], amounts: Iterable[int]) -> tuple[Line, ...]:
    """Lines with other amounts, without those that come to nothing."""
    pairs = zip(lines, amounts, strict=True)
    return tuple(replace(line, money=Money(amount, line.money.currency)) for line, amount in pairs if amount)


def used(hold: Held, lines: Iterable[Line]) -> list[int] | None:
    """What posting lines leaves of a hold, like lines used up in their order; None when it has not so much."""
    left = list(hold.left)
    for line in lines:
        wanted = line.money.amount
        for place, reserved in enumerate(hold.lines):
            mine = (reserved.account, reserved.side, reserved.money.currency)
            if mine == (line.account, line.side, line.money.currency):
                take = min(wanted, left[place])
                left[place], wanted = left[place] - take, wanted - take
        if wanted:
            return None
    return left
