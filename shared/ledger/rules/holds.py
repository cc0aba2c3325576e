"""A hold reserves lines that are posted later, in full or in part, voided, or expire.

    reserved --post, something left--> reserved
    reserved --post, nothing left or final--> posted
    reserved --void--> voided
    reserved --expiry--> expired
    (never there) --refusal--> refused

Whatever is not `reserved` has ended for ever, so a late commit on a hold that ended finds it changed.
A refused hold is a document in `holds` too: under the command's own id it and the hold exclude each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import Enum
from typing import Final, cast

from shared.desk import write_refusal
from shared.faults import Refused
from shared.identity import StoredId, TenantId
from shared.ledger.line_text import read_lines, write_lines
from shared.ledger.model import AccountCode, Line, check_lines
from shared.ledger.refusals import ExceedsHold, HoldEnded, HoldExpired
from shared.ledger.rules.pending import Shards
from shared.money import Money
from shared.ports import Create, Document, Fields, Ref, Update, Value, tenant_ref

COLLECTION: Final = "holds"


class HoldState(Enum):
    """Reserved is open; the others are ends."""

    RESERVED = "reserved"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Hold:
    """Lines set aside until an instant; `left` is what was not posted of each, minor units, also after the end.

    `effective_on` is the day its posts are effective on unless they say another.
    """

    id: StoredId
    lines: tuple[Line, ...]
    left: tuple[int, ...]
    expires_at: datetime
    effective_on: date | None
    reference: str
    cause: str
    request_hash: str
    shards: Shards = field(default_factory=dict)
    state: HoldState = HoldState.RESERVED
    version: int = 1
    refusal: Fields | None = None

    def __post_init__(self) -> None:
        """Refuse what no entry could be: the lines are posted one day."""
        check_lines(self.lines, self.reference)

    @property
    def accounts(self) -> tuple[AccountCode, ...]:
        """The accounts it reserves on, each once, in order."""
        return tuple(sorted({line.account for line in self.lines}))

    @property
    def open_lines(self) -> tuple[Line, ...]:
        """What it keeps in reserve now: nothing once it has ended."""
        if self.state is not HoldState.RESERVED:
            return ()
        return _lines(self.lines, self.left)


@dataclass(frozen=True, slots=True)
class PostOrder:
    """What to post of a hold: `lines`, or all that is left; `final` releases what remains."""

    lines: tuple[Line, ...] | None = None
    final: bool = False
    effective_on: date | None = None

    def __post_init__(self) -> None:
        """Refuse lines that no entry could have."""
        if self.lines is not None:
            check_lines(self.lines, "")


@dataclass(frozen=True, slots=True)
class Posting:
    """What a post comes to: the entry's lines, all that is set free, and the hold after it."""

    lines: tuple[Line, ...]
    release: tuple[Line, ...]
    after: Hold


# --- posting -----------------------------------------------------------------------------


def post(hold: Hold, order: PostOrder, at: datetime) -> Posting:
    """What a post of the hold moves, sets free and leaves.

    Raises:
        HoldEnded: nothing of it is in reserve any more.
        HoldExpired: its time is over, swept or not.
        ExceedsHold: a line is not among those reserved, or larger than what is left.
    """
    if hold.state is not HoldState.RESERVED:
        raise ended(hold)
    if at >= hold.expires_at:
        message = "the hold's time is over"
        raise HoldExpired(message, detail={"hold": hold.id})
    left = tuple(0 for _ in hold.left) if order.lines is None else _taken(hold, order.lines)
    lines = _lines(hold.lines, hold.left) if order.lines is None else order.lines
    over = order.final or not any(left)
    after = replace(hold, left=left, version=hold.version + 1, state=HoldState.POSTED if over else HoldState.RESERVED)
    return Posting(lines, hold.open_lines if over else lines, after)


def _taken(hold: Hold, lines: Sequence[Line]) -> tuple[int, ...]:
    """What posting lines leaves, by line of the hold: like lines are used up in their order."""
    left = list(hold.left)
    for line in lines:
        wanted = line.money.amount
        for place, reserved in enumerate(hold.lines):
            if (reserved.account, reserved.side, reserved.money.currency) == (
                line.account,
                line.side,
                line.money.currency,
            ):
                used = min(wanted, left[place])
                left[place] -= used
                wanted -= used
        if wanted:
            message = "the hold does not reserve so much any more"
            raise ExceedsHold(message, field="lines", detail={"account": line.account, "missing": wanted})
    return tuple(left)


def elsewhere(posting: Posting) -> tuple[Line, ...]:
    """What a final post sets free on accounts that its entry does not move."""
    moving = {line.account for line in posting.lines}
    return tuple(line for line in posting.release if line.account not in moving)


# --- ending ------------------------------------------------------------------------------


def ended(hold: Hold) -> HoldEnded:
    """The refusal of anything that is asked of a hold which has ended."""
    message = f"the hold was {hold.state.value}"
    return HoldEnded(message, field="id", detail={"state": hold.state.value})


def end(hold: Hold, state: HoldState) -> Hold:
    """The hold after it was voided or has expired.

    Raises:
        HoldEnded: it had ended before.
    """
    if hold.state is not HoldState.RESERVED:
        raise ended(hold)
    return replace(hold, state=state, version=hold.version + 1)


def _lines(lines: Sequence[Line], amounts: Sequence[int]) -> tuple[Line, ...]:
    """The lines with other amounts, without those that come to nothing."""
    return tuple(
        replace(line, money=Money(amount, line.money.currency))
        for line, amount in zip(lines, amounts, strict=True)
        if amount
    )


# --- documents ---------------------------------------------------------------------------


def hold_ref(tenant: TenantId, hold_id: StoredId) -> Ref:
    """A hold, open, ended or refused."""
    return tenant_ref(tenant, COLLECTION, hold_id)


def create_hold(tenant: TenantId, hold: Hold, refusal: Refused | None = None) -> Create:
    """The document of a new hold, or of a refused one."""
    fields: dict[str, Value] = {
        "schema": 1,
        "lines": write_lines(hold.lines),
        "accounts": list(hold.accounts),
        "expires_at": hold.expires_at,
        "effective_on": hold.effective_on.isoformat() if hold.effective_on else None,
        "reference": hold.reference,
        "cause": hold.cause,
        "request_hash": hold.request_hash,
        "shards": dict(hold.shards),
        "refusal": write_refusal(refusal) if refusal else None,
        **_moving(hold),
    }
    return Create(hold_ref(tenant, hold.id), fields, stamped=("recorded_at",))


def update_hold(document: Document, after: Hold) -> Update:
    """What became of a hold, unchanged since read."""
    return Update(document.ref, _moving(after), document.version)


def _moving(hold: Hold) -> dict[str, Value]:
    """What changes in a hold's life; `due_at` is where the sweep looks: nothing is due of what has ended."""
    due = hold.expires_at if hold.state is HoldState.RESERVED else None
    return {"state": hold.state.value, "version": hold.version, "left": list(hold.left), "due_at": due}


def read_hold(document: Document) -> Hold:
    """The hold that a document keeps."""
    fields = document.fields
    day = cast("str | None", fields["effective_on"])
    return Hold(
        StoredId(document.ref.key),
        read_lines(cast("list[str]", fields["lines"])),
        tuple(cast("list[int]", fields["left"])),
        cast("datetime", fields["expires_at"]),
        date.fromisoformat(day) if day else None,
        cast("str", fields["reference"]),
        cast("str", fields["cause"]),
        cast("str", fields["request_hash"]),
        cast("Shards", fields["shards"]),
        HoldState(fields["state"]),
        cast("int", fields["version"]),
        cast("Fields | None", fields["refusal"]),
    )
