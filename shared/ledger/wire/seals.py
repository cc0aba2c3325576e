"""Seals, proofs of inclusion and the whole journal on the wire."""

from base64 import b64encode
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field

from shared.ledger.rules.seals import Leaf, Seal, leaves_list, micros
from shared.ledger.use_cases.export import JournalPage
from shared.ledger.use_cases.seals import Inclusion
from shared.limits import DEFAULT_PAGE_SIZE, JOURNAL_PAGE
from shared.wire import PageQuery, Wire


class SealAnswer(Wire):
    """A seal: entries committed after `after` and up to `through` are under `root`; `hash` is what the next names."""

    number: int
    tenant: str
    after: datetime
    through: datetime
    count: int
    root: str
    previous: str
    hash: str
    cumulative: int
    counted: int
    pages: int
    key_version: str
    signature: str
    record: dict[str, Any]
    """The same as an export keeps it, its instants in microseconds: what `daybook verify` reads."""

    @classmethod
    def of(cls, seal: Seal) -> Self:
        """The seal on the wire."""
        return cls(
            number=seal.number,
            tenant=seal.tenant,
            after=seal.after,
            through=seal.through,
            count=seal.count,
            root=seal.root,
            previous=seal.previous,
            hash=seal.hash,
            cumulative=seal.cumulative,
            counted=seal.counted,
            pages=seal.pages,
            key_version=seal.key_version,
            signature=b64encode(seal.signature).decode("ascii"),
            record=seal.as_json(),
        )


class SealPath(Wire):
    """The seal in the path."""

    number: Annotated[int, Field(ge=1, le=10**8)]


class LeavesQuery(Wire):
    """Which page of a seal's leaves, from 0."""

    page: Annotated[int, Field(ge=0, le=10**6)] = 0


class LeavesAnswer(Wire):
    """Leaves in the order of the tree: microseconds of the commit since 1970, entry id, hash in hex."""

    leaves: tuple[tuple[int, str, str], ...]

    @classmethod
    def of(cls, leaves: tuple[Leaf, ...]) -> Self:
        """The leaves on the wire."""
        rows = leaves_list(leaves)
        return cls(leaves=tuple((created, entry, digest) for created, entry, digest in rows))


class InclusionAnswer(Wire):
    """That an entry is under a seal: RFC 6962's audit path from its leaf, the lowest first."""

    entry: str
    created: int
    leaf: str
    index: int
    path: tuple[str, ...]
    seal: SealAnswer

    @classmethod
    def of(cls, proof: Inclusion) -> Self:
        """The proof on the wire."""
        return cls(
            entry=proof.entry,
            created=proof.leaf.created,
            leaf=proof.leaf.hash.hex(),
            index=proof.index,
            path=tuple(node.hex() for node in proof.path),
            seal=SealAnswer.of(proof.seal),
        )


class JournalQuery(PageQuery):
    """Which page of the journal: longer ones than of other lists, for nobody reads it by eye."""

    limit: int = Field(default=DEFAULT_PAGE_SIZE, ge=1, le=JOURNAL_PAGE)


class JournalAnswer(Wire):
    """A page of the journal at one instant (microseconds since 1970); the chart on the first, the rest on the last."""

    tenant: str
    read_at: int
    items: tuple[dict[str, Any], ...]
    chart: tuple[dict[str, Any], ...] | None
    totals: tuple[dict[str, Any], ...] | None
    periods: tuple[dict[str, Any], ...] | None
    """Months that are not open."""
    next_cursor: str | None

    @classmethod
    def of(cls, page: JournalPage) -> Self:
        """The page on the wire."""
        return cls(
            tenant=page.tenant,
            read_at=micros(page.read_at),
            items=page.entries,
            chart=page.chart,
            totals=page.totals,
            periods=page.periods,
            next_cursor=page.next_cursor,
        )


class SealTask(Wire):
    """The hour whose seal is asked for."""

    hour: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}$")]
