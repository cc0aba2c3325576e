"""Verifying a journal from nothing but its records and the public key: what was altered, is missing, was added.

The records are those of an export: seals and their leaves first, then the chart, entries and totals; a seal
behind an entry is a finding, since the entry was not held against it. Nothing here reads a store or asks a
service, so that whoever keeps the books need not be trusted.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from shared.ledger.line_text import read_lines
from shared.ledger.model import Side
from shared.ledger.rules.chart_records import check_account, check_period, kinds
from shared.ledger.rules.seals import BEGINNING, Leaf, Seal, leaf_of, micros, read_leaves_list, root_over

Record: TypeAlias = Mapping[str, Any]
IsSigned: TypeAlias = Callable[[bytes, bytes], bool]
"""Whether a signature is of a statement, by a key that the auditor trusts."""

SCHEMA: Final = 1
"""The form of a journal's records that is written here, and read."""

NAMED_FINDINGS: Final = 1_000
TotalKey: TypeAlias = tuple[str, str, str, str]
"""Account, currency, month, kind."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is not as it was sealed; `seal` is 0 where no seal is about it. Sorts by seal and instant."""

    seal: int
    created: int
    what: str
    """altered, missing, added, seal_missing, seal_forged, seal_broken, total_differs, out_of_balance, unreadable."""
    name: str
    """The entry's id, the seal's number, the account's code, the month, or the total's key."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification came to. `unsealed` entries are younger than the last seal: nothing vouches for them yet."""

    tenant: str
    entries: int
    seals: int
    unsealed: int
    head: Seal | None
    findings: tuple[Finding, ...]
    """The first `NAMED_FINDINGS` of `found`."""
    found: int

    @property
    def sound(self) -> bool:
        """Whether everything is as it was sealed."""
        return not self.found


@dataclass(slots=True)
class Verifier:
    """Takes records one by one; memory holds a line for each sealed entry, never the entries themselves."""

    is_signed: IsSigned
    known: tuple[int, str] | None = None
    """A seal's number and hash that the auditor noted earlier: without it a cut-off end cannot be seen."""
    _tenant: str | None = None
    _seals: dict[int, Seal] = field(default_factory=dict)
    _pages: dict[int, dict[int, list[Leaf]]] = field(default_factory=dict)
    _expected: dict[str, tuple[int, Leaf]] | None = None
    _ends: list[tuple[int, int]] = field(default_factory=list)
    _findings: list[Finding] = field(default_factory=list)
    _found: int = 0
    _young: dict[str, int] = field(default_factory=dict)
    """Entries that no seal covers yet, and the instants of their commits."""
    _folded: dict[TotalKey, list[int]] = field(default_factory=dict)
    _totals: dict[TotalKey, list[int]] = field(default_factory=dict)
    _held: dict[bytes, tuple[int, Leaf]] = field(default_factory=dict)
    """Every sealed hash's seal, and the leaf that its page makes of it: only the hash leads to the root."""
    _misnamed: set[bytes] = field(default_factory=set)
    """Hashes of entries that are as they were sealed, and that a page gives to another entry or instant."""
    _misnaming: set[int] = field(default_factory=set)
    _doubted: list[tuple[Finding, tuple[Leaf, ...], Leaf | None]] = field(default_factory=list)
    """What is found unless a page misnames one of these leaves, and the leaf of the entry that is there."""
    _chart: set[tuple[str, str]] = field(default_factory=set)
    """Accounts and months that were there."""
    _told: set[str] = field(default_factory=set)
    """Sealed entries that were there."""
    _entries: int = 0
    _ended: int | None = None
    _read_at: int | None = None
    """The instant that the journal is of."""

    # --- records

    def take(self, record: Record) -> None:
        """Take one record; one that cannot be read is a finding."""
        if self._ended is not None:
            self._find(Finding(LAST, 0, "unreadable", "end", "a record stands behind the end"))
        try:
            self._take(record)
        except UNREADABLE as error:
            kind = record.get("kind")
            why = f"a record of kind {kind!r} cannot be read: {type(error).__name__}"
            self._find(Finding(LAST if kind in UNSEALED else 0, 0, "unreadable", name_of(record), why))

    def _take(self, record: Record) -> None:
        match record.get("kind"):
            case "journal":
                self._take_head(record)
            case "seal":
                self._take_seal(Seal.of_json(record))
            case "leaves":
                seal, page = kinds(int, record["seal"], record["page"])
                self._pages.setdefault(seal, {})[page] = read_leaves_list(record["leaves"])
                self._must_come_first(seal)
            case "entry":
                self._take_entry(record)
            case "total":
                key = _total_key(record["account"], record["currency"], record["month"], record["entry_kind"])
                if key in self._totals:
                    self._find(Finding(LAST, 0, "total_differs", "/".join(key), "it is there twice"))
                sums = [record["debits"], record["credits"], record["count"]]
                kinds(int, *(one for one in sums if one is not None))  # null is what was no integer in the store
                self._totals[key] = sums
            case "end":
                self._ended, self._read_at = kinds(int, record["entries"], record["read_at"])
            case "account":
                self._tell_once("account", record["code"])
                check_account(record)
            case "period":
                self._tell_once("period", record["month"])
                check_period(record)
            case _:
                self._find(Finding(0, 0, "unreadable", name_of(record), "a record of no known kind"))

    def _tell_once(self, kind: str, name: Any) -> None:
        kinds(str, name)
        if (kind, name) in self._chart:
            self._find(Finding(LAST, 0, "unreadable", name, "it is there twice"))
        self._chart.add((kind, name))

    def _take_head(self, record: Record) -> None:
        """Whose journal it is; told again, another's name would stand under seals that are not theirs."""
        (tenant,) = kinds(str, record["tenant"])
        if record["schema"] != SCHEMA:
            self._find(Finding(0, 0, "unreadable", "journal", "of a schema that is not known here"))
        if self._tenant is not None:
            self._find(Finding(0, 0, "unreadable", "journal", "the file says more than once whose it is"))
            return
        self._tenant = tenant

    def _take_seal(self, seal: Seal) -> None:
        _ = seal.statement  # what is signed; of a seal that can be read, but not be stated, nothing is believed
        if seal.number in self._seals:
            self._find(Finding(seal.number, 0, "seal_broken", str(seal.number), "it is there twice"))
        self._seals[seal.number] = seal
        self._must_come_first(seal.number)

    def _must_come_first(self, number: int) -> None:
        if self._expected is not None:
            why = "it, or a page of its leaves, stands behind entries that are to be held against it"
            self._find(Finding(number, 0, "seal_broken", str(number), why))

    def _take_entry(self, record: Record) -> None:
        self._entries += 1
        entry_id, created, fields = record["id"], record["created"], record["fields"]
        leaf = leaf_of(entry_id, created, fields)
        number, expected = self._sealed().get(entry_id, (0, None))
        holder, held = self._held.get(leaf.hash, (number, leaf))
        if entry_id in self._told:
            self._find(Finding(holder, created, "added", entry_id, "it is there twice"))
        elif held != leaf:  # its very hash is sealed, so it is as it was: the page beside the hash is not
            self._misname(holder, leaf)
        elif expected is None:
            self._take_unexpected(entry_id, created)
        elif leaf != expected:
            moved = leaf_of(entry_id, expected.created, fields).hash == expected.hash
            why = "only the instant of its commit: written again, or restored" if moved else "its fields"
            altered = Finding(number, expected.created, "altered", entry_id, why)
            self._doubted.append((altered, (expected,), leaf))
        if expected is not None or held != leaf:
            self._told.add(expected.id if expected else entry_id)
        try:
            self._fold(entry_id, number, created, fields)
        except UNREADABLE as error:
            why = f"its lines cannot be added up: {type(error).__name__}"
            self._find(Finding(number, created, "unreadable", entry_id, why))

    def _misname(self, number: int, leaf: Leaf) -> None:
        if number not in self._misnaming:
            why = "its page of leaves names another entry or instant"
            self._find(Finding(number, 0, "seal_broken", str(number), why))
        self._misnaming.add(number)
        self._misnamed.add(leaf.hash)

    def _take_unexpected(self, entry_id: str, created: int) -> None:
        """An entry that no leaf names: after the last seal it waits for the next, before it was added."""
        for number, through in self._ends:
            if created <= through:
                self._find(Finding(number, created, "added", entry_id, "no leaf of the seal names it"))
                return
        if entry_id in self._young:
            self._find(Finding(LAST, created, "added", entry_id, "it is there twice"))
        self._young[entry_id] = created

    def _fold(self, entry_id: str, number: int, created: int, fields: Mapping[str, Any]) -> None:
        if fields["outcome"] != "posted":
            return
        nets, counted = dict[str, int](), set[TotalKey]()
        for line in read_lines(fields["lines"]):
            key = _total_key(line.account, line.money.currency, fields["month"], fields["kind"])
            amount, is_debit = line.money.amount, line.side is Side.DEBIT
            sums = self._folded.setdefault(key, [0, 0, 0])
            sums[0 if is_debit else 1] += amount
            sums[2] += key not in counted
            counted.add(key)
            nets[key[1]] = nets.get(key[1], 0) + (amount if is_debit else -amount)
        if any(nets.values()):
            self._find(Finding(number, created, "out_of_balance", entry_id, "debits and credits differ"))

    # --- seals

    def _sealed(self) -> dict[str, tuple[int, Leaf]]:
        """Every sealed entry's seal and leaf by its id; the chain is checked when the first entry comes."""
        if self._expected is None:
            self._expected = {}
            self._check_chain()
        return self._expected

    def _check_chain(self) -> None:
        last: Seal | None = None
        for number, seal in sorted(self._seals.items()):
            following = last.number + 1 if last else 1
            if number > following:
                self._find(Finding(following, 0, "seal_missing", str(following), f"a gap up to seal {number}"))
            for why in self._flaws(seal, last):
                what = "seal_forged" if why == NOT_SIGNED else "seal_broken"
                self._find(Finding(number, micros(seal.after), what, str(number), why))
            self._ends.append((number, micros(seal.through)))
            last = seal
        for number in sorted(self._pages):
            self._find(Finding(number, 0, "seal_missing", str(number), "its leaves are there without it"))
        if self.known:
            number, digest = self.known
            noted = self._seals.get(number)
            if noted is None or noted.hash != digest:
                why = "it is not the one that was noted: cut off, or made anew"
                self._find(Finding(number, 0, "seal_missing", str(number), why))

    def _flaws(self, seal: Seal, last: Seal | None) -> Iterable[str]:
        if not self.is_signed(seal.statement, seal.signature):
            yield NOT_SIGNED
        if seal.tenant != self._tenant:
            yield "it is another tenant's"
        if seal.number < 1:
            yield "seals are numbered from 1"
        if last is None or last.number == seal.number - 1:
            expected = (last.hash, last.through, last.cumulative) if last else ("", BEGINNING, 0)
            if (seal.previous, seal.after, seal.cumulative - seal.count) != expected:
                yield "it does not follow from the seal before it"
        if seal.counted != seal.cumulative:
            yield f"when it was made the store counted {seal.counted} entries where {seal.cumulative} were sealed"
        yield from self._flaws_of_leaves(seal)

    def _flaws_of_leaves(self, seal: Seal) -> Iterable[str]:
        pages = self._pages.pop(seal.number, {})
        if len(pages) != seal.pages or sorted(pages) != list(range(seal.pages)):
            yield "pages of its leaves are missing"
        leaves = [leaf for page in sorted(pages) for leaf in pages[page]]
        if len(leaves) != seal.count or root_over(leaves).hex() != seal.root:
            yield "its leaves do not lead to its root"
        first, last = micros(seal.after), micros(seal.through)
        if leaves != sorted(leaves) or any(not first < leaf.created <= last for leaf in leaves):
            yield "its leaves are out of order or of its time"
        expected = self._sealed()
        for leaf in leaves:
            place = (seal.number, leaf)
            self._held.setdefault(leaf.hash, place)
            number, original = expected.setdefault(leaf.id, place)
            if original is not leaf:  # what was sealed first is what was posted: a later leaf is of what took its place
                why = f"sealed by seal {number}, and again by seal {seal.number}: it was written again"
                again = Finding(number, original.created, "altered", leaf.id, why)
                self._doubted.append((again, (original, leaf), None))

    # --- the end

    def verdict(self) -> Verdict:
        """What was found, in the order of seals and instants; to be asked for once, at the end."""
        self._check_doubted()
        for entry_id, (number, leaf) in self._sealed().items():
            if entry_id in self._told or leaf.hash in self._misnamed:
                continue
            self._find(Finding(number, leaf.created, "missing", leaf.id, "its leaf is there, its document is not"))
        for key in sorted(self._folded.keys() | self._totals.keys()):
            folded, total = self._folded.get(key, [0, 0, 0]), self._totals.get(key, [0, 0, 0])
            if folded != total:
                why = f"entries say {folded}, totals {total} (debits, credits, count)"
                self._find(Finding(LAST, 0, "total_differs", "/".join(key), why))
        if self._ended != self._entries:
            self._find(Finding(LAST, 0, "unreadable", "end", "the file is cut off, or says another count of entries"))
        self._check_young()
        self._check_chart()
        head = self._seals[max(self._seals)] if self._seals else None
        return Verdict(
            self._tenant or "",
            self._entries,
            len(self._seals),
            len(self._young),
            head,
            tuple(replace(one, seal=0) if one.seal == LAST else one for one in self._first()),
            self._found,
        )

    def _check_doubted(self) -> None:
        """Where a leaf that an accusation rests on is another entry's, the entry is judged by its own."""
        for finding, leaves, actual in self._doubted:
            if not any(leaf.hash in self._misnamed for leaf in leaves):
                self._find(finding)
            elif actual and actual.hash not in self._held:
                self._take_unexpected(actual.id, actual.created)

    def _check_young(self) -> None:
        """No seal vouches for them; but what was read at an instant was committed by then."""
        for entry_id, created in self._young.items():
            if self._read_at is not None and created > self._read_at:
                self._find(Finding(LAST, created, "added", entry_id, "committed after the instant that this is of"))

    def _check_chart(self) -> None:
        """Nothing is sealed about the chart, but what was posted to was in it."""
        for account in sorted({key[0] for key in (*self._folded, *self._totals)}):
            if ("account", account) not in self._chart:
                self._find(Finding(LAST, 0, "missing", account, "the chart has no such account"))

    def _first(self) -> list[Finding]:
        return sorted(self._findings)[:NAMED_FINDINGS]

    def _find(self, finding: Finding) -> None:
        self._found += 1
        self._findings.append(finding)
        if len(self._findings) >= 2 * NAMED_FINDINGS:  # entries come by their ids: the first of all may be the last
            self._findings = self._first()


UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What a record raises that is none."""
NOT_SIGNED: Final = "no trusted key signed it"
UNSEALED: Final = frozenset({"account", "period", "total"})
"""Kinds of records that no seal is about: what is wrong with them is said last."""
LAST: Final = 2**62
"""Where findings stand that belong to no seal: after all that do."""


def name_of(record: Record) -> str:
    """What a record is called by: its id, number, code or month."""
    names = (record[name] for name in ("id", "number", "code", "month") if name in record)
    return str(next(names, ""))


def _total_key(account: Any, currency: Any, month: Any, kind: Any) -> TotalKey:
    kinds(str, account, currency, month, kind)
    return account, currency, month, kind


def verify(records: Iterable[Record], is_signed: IsSigned, known: tuple[int, str] | None = None) -> Verdict:
    """Verify a whole journal."""
    verifier = Verifier(is_signed, known)
    for record in records:
        verifier.take(record)
    return verifier.verdict()
