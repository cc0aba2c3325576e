"""The narrow waist: what the domains ask of the world.

Every port has at least two real implementations (Google Cloud's and the simulator's or the
laptop's). The store's verbs map one to one on Firestore's RPCs, so each cost can be counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from shared.events import Announcement, Command
from shared.faults import Fault
from shared.identity import TenantId

Value: TypeAlias = "str | int | bool | bytes | datetime | Sequence[Value] | Mapping[str, Value] | Foreign | None"
"""What a document holds: no float, ever; `Foreign` only in what is read as it is."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A value of a kind that the books never write, such as a double: someone else did. `text` spells it exactly.

    Only who asks for documents `as_is` gets one, to tell of it; nothing can be reckoned with it or write it.
    """

    kind: str
    text: str


Fields: TypeAlias = Mapping[str, Value]
FieldPath: TypeAlias = tuple[str, ...]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


# --- documents ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A document's place: `tenants/{tenant}/{collection}/{id}`, or `{collection}/{id}` for the platform's own."""

    path: str

    def __hash__(self) -> int:
        return hash(self.path)

    @property
    def collection(self) -> str:
        """The collection's name."""
        return self.path.rsplit("/", 2)[-2]

    @property
    def key(self) -> str:
        """The document's id within its collection."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def tenant(self) -> TenantId | None:
        """The tenant whose document this is; None for the platform's own."""
        parts = self.path.split("/")
        return TenantId(parts[1]) if parts[0] == "tenants" and len(parts) > 2 else None  # noqa: PLR2004 - tenants/{tenant}/...


def tenant_ref(tenant: TenantId, collection: str, key: str) -> Ref:
    """The place of a tenant's document; a key with a slash would be another place, so it is refused."""
    return Ref(f"tenants/{tenant}/{collection}/{_segment(key)}")


def platform_ref(collection: str, key: str) -> Ref:
    """The place of a document that belongs to no tenant."""
    return Ref(f"{collection}/{_segment(key)}")


_NO_KEYS: Final = frozenset({".", ".."})


def is_key(text: str) -> bool:
    """Whether a document can be called so: 1 to 1,000 bytes without a slash, and not `.`, `..` or `__...__`."""
    if not text or "/" in text or text in _NO_KEYS or (text[:2] == "__" and text[-2:] == "__"):
        return False
    return len(text) <= 250 or len(text.encode()) <= 1_000  # noqa: PLR2004 - Firestore allows 1,500; a character takes at most 4


def _segment(key: str) -> str:
    if not is_key(key):
        message = "a document key is 1 to 1,000 bytes without a slash, and none that the store reserves"
        raise ValueError(message)
    return key


@dataclass(frozen=True, slots=True)
class Document:
    """A document as read: `version` is opaque and only good for `Update`, `Check` and `Delete`."""

    ref: Ref
    fields: Fields
    version: str
    created_at: datetime

    def __getitem__(self, name: str) -> Value:
        """A field; KeyError when the document lacks it."""
        return self.fields[name]


# --- writes ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Create:
    """Write a document that must not exist. `stamped` names fields that the store fills with its own time."""

    ref: Ref
    fields: Fields
    stamped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """Replace the named top-level fields of a document that must be unchanged since `version` was read."""

    ref: Ref
    fields: Fields
    version: str


@dataclass(frozen=True, slots=True)
class Put:
    """Write a whole document whatever was there: only where repeating the same value is harmless."""

    ref: Ref
    fields: Fields


@dataclass(frozen=True, slots=True)
class Increment:
    """Add integers to fields (by path) without reading.

    With `must_exist` the document's existence is demanded and `fields` are not written; without
    it the increment creates the document, and `fields` say what it is about.
    """

    ref: Ref
    amounts: Mapping[FieldPath, int]
    must_exist: bool
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """Fail the commit unless the document exists (and is unchanged since `version`); changes nothing."""

    ref: Ref
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """Fail the commit if the document exists; changes nothing. Billed as the delete of a document that is not there."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a document; with `version`, only if unchanged since."""

    ref: Ref
    version: str | None = None


Write: TypeAlias = Create | Update | Put | Increment | Check | Absent | Delete


class Failure(Enum):
    """Why a commit did not answer yes. Never decide on which precondition it was (docs/ledger.md M4)."""

    PRECONDITION = "precondition"
    """Nothing was written: a precondition failed or the store chose another writer."""

    UNKNOWN = "unknown"
    """No answer: it may have been written, or may still be."""


class CommitFailed(Fault):
    """A commit failed or its answer was lost."""

    code = "commit_failed"

    def __init__(self, failure: Failure) -> None:
        """Keep only which of the two it was."""
        super().__init__(f"commit failed: {failure.value}")
        self.failure = failure


# --- decisions ---------------------------------------------------------------------------


class Unread(Exception):
    """Raised inside a decision that needs documents which were not read yet; `transact` reads them and asks again."""

    def __init__(self, refs: frozenset[Ref]) -> None:
        """Name the documents wanted."""
        super().__init__("documents wanted")
        self.refs = refs


class Contradiction(LookupError):
    """Raised inside a decision whose documents cannot be true together; `transact` reads them all again."""


@dataclass(frozen=True, slots=True)
class View:
    """What a decision may look at: documents read at one instant, and how often its commit has failed."""

    documents: Mapping[Ref, Document | None]
    failures: int = 0

    def __getitem__(self, ref: Ref) -> Document | None:
        """The document, or None where there is none; asks for it when it was not read yet."""
        self.need((ref,))
        return self.documents[ref]

    def named(self, ref: Ref) -> Document:
        """A document that another one of this view names; without it they contradict each other."""
        document = self[ref]
        if document is None:
            message = f"{ref.path} is gone"
            raise Contradiction(message)
        return document

    def has_read(self, ref: Ref) -> bool:
        """Whether this view can tell about a document."""
        return ref in self.documents

    def need(self, refs: Sequence[Ref]) -> None:
        """Ask for all of these at once.

        Raises:
            Unread: at least one was not read; the decision is made again with all of them.
        """
        # one by one: a set less a mapping's keys goes through all of the mapping
        missing = frozenset(ref for ref in refs if ref not in self.documents)
        if missing:
            raise Unread(missing)


@dataclass(frozen=True, slots=True)
class Decision(Generic[T_co]):
    """What to write, all or nothing, and what to answer once it is written.

    Every document that was read and is not written here is checked to be unchanged, unless it is
    named in `loose`: those may be stale without harm, and the reason is stated where they are named.
    """

    answer: T_co
    writes: tuple[Write, ...] = ()
    loose: frozenset[Ref] = frozenset()


Decide: TypeAlias = Callable[[View], Decision[T]]


@dataclass(frozen=True, slots=True)
class Where:
    """One condition of a query: field, operator (`==`, `<`, `<=`, `>`, `>=`, `in`, `array_contains`), value."""

    field: str
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Query:
    """Documents of one collection of one tenant (or of the platform), by conditions, in a stable order.

    `order` fields are ascending unless prefixed with `-`; the document's name is always the last,
    in the direction of the last field. `after` is the `cursor` of an earlier page.
    With `group` the tenant is left out and all tenants' collections are searched: platform sweeps only.
    """

    collection: str
    tenant: TenantId | None = None
    where: tuple[Where, ...] = ()
    order: tuple[str, ...] = ()
    limit: int | None = None
    after: str | None = None
    group: bool = False
    only: tuple[str, ...] = ()
    """Fields to return; all when empty."""
    as_is: bool = False
    """Whether values that the books never write come as `Foreign`, for who audits; else they are an error."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query; `cursor` starts the next, None when this was the last."""

    documents: tuple[Document, ...]
    cursor: str | None
    read_at: datetime | None = None
    """The instant of which this is the answer, so that more can be read with `at=`."""


class Store(Protocol):
    """Documents, transactions and snapshots."""

    def get(
        self, refs: Sequence[Ref], *, at: datetime | None = None, as_is: bool = False
    ) -> Mapping[Ref, Document | None]:
        """Read documents in one RPC, all at one instant (`at`, or now); `as_is` as in a query.

        Raises:
            Retryable: no answer in time.
        """
        ...

    def query(self, query: Query, *, at: datetime | None = None) -> Page:
        """Read one page, strongly consistent at one instant.

        Raises:
            Retryable: no answer in time.
        """
        ...

    def aggregate(self, query: Query, *, sums: Sequence[str] = (), at: datetime | None = None) -> Mapping[str, int]:
        """Count the documents of a query (`count`) and sum integer fields (by field name) without reading them out.

        A query with a limit is counted that far and no further, so that its cost is bounded; sums are of all.

        Raises:
            Retryable: no answer in time.
        """
        ...

    def transact(self, refs: Sequence[Ref], decide: Decide[T], *, attempts: int | None = None) -> T:
        """Read `refs` in one BatchGet (none: no RPC), decide purely, write all in one Commit.

        After any failed or unanswered commit it reads again: all that was read, and every document
        the decision created. Then it decides again; `decide` must look for its own trace first
        whenever `view.failures` is above zero. A decision without writes is answered at once.

        Raises:
            Retryable: contention or silence outlasted the attempts; whether it was written is unknown.
            Refused: as raised by `decide`.
        """
        ...

    def transact_locked(self, refs: Sequence[Ref], decide: Decide[T]) -> T:
        """As `transact`, with the read documents locked until the commit (BeginTransaction).

        For the few places that a protocol names: waiting writers stall, so keep it to milliseconds.

        Raises:
            Retryable: the locks were not had, or the answer was lost.
        """
        ...

    def read_time(self) -> datetime:
        """An instant of the store's own clock at which snapshots can be read with `at=`."""
        ...

    def snapshot(self, refs: Sequence[Ref]) -> tuple[Mapping[Ref, Document | None], datetime]:
        """Read documents in one RPC, now, and say the instant, so that more can be read with `at=`.

        Raises:
            Retryable: no answer in time.
        """
        ...


# --- messages ----------------------------------------------------------------------------


class Queue(Protocol):
    """Commands to one target, at least once, in no order."""

    def enqueue(self, command: Command) -> None:
        """Hand over one command; a name that is already known counts as done.

        Raises:
            Retryable: it is not certain that the queue has it.
        """
        ...


class Bus(Protocol):
    """Announcements to many listeners, at least once, in no order."""

    def publish(self, announcement: Announcement) -> None:
        """Hand over one announcement.

        Raises:
            Retryable: it is not certain that the bus has it.
        """
        ...
