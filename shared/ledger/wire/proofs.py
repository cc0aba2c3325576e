"""Proofs and repairs on the wire."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.ledger.model import account_code
from shared.ledger.rules.proof_records import Change, Proof, Repair
from shared.wire import IsoDate, Period, ShortText, Wire, by_rule

StoredIdText = Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]
AccountCode = Annotated[str, Field(pattern=r"^[a-z0-9:_.-]{1,128}$", examples=["assets:bank"]), by_rule(account_code)]


class ProofAnswer(Wire):
    """What a proof of the books found: every count of faults is zero when it holds; `named` are the first of them."""

    id: str
    state: Literal["asked", "proven"]
    scope: str
    proven_at: datetime | None
    entries: int
    accounts: int
    differences: int
    out_of_balance: int
    floors: int
    altered: int
    reserved: int
    shifts: int
    carried: int
    left_out: int
    named: tuple[str, ...]
    holds: bool

    @classmethod
    def of(cls, proof: Proof) -> Self:
        """The proof on the wire."""
        return cls(
            id=proof.id,
            state="proven" if proof.proven_at else "asked",
            scope=proof.scope,
            proven_at=proof.proven_at,
            entries=proof.entries,
            accounts=proof.accounts,
            differences=proof.differences,
            out_of_balance=proof.out_of_balance,
            floors=proof.floors,
            altered=proof.altered,
            reserved=proof.reserved,
            shifts=proof.shifts,
            carried=proof.carried,
            left_out=proof.left_out,
            named=proof.named,
            holds=proof.holds,
        )


class ProofPath(Wire):
    """The proof in the path."""

    id: StoredIdText


class ProofOrder(Wire):
    """Why a whole proof is asked for; kept in the audit record."""

    reason: ShortText


class RepairOrder(Wire):
    """The account's month whose totals and shifts are set right, and what was carried from it no longer used.

    Without a month, the account whose floor's guard is set right.
    """

    account: AccountCode
    month: Period | None = None
    reason: ShortText


class ChangeAnswer(Wire):
    """A sum that was set right, minor units or a number of entries."""

    place: str
    field: str
    before: int
    after: int

    @classmethod
    def of(cls, change: Change) -> Self:
        """The change on the wire."""
        return cls(place=change.place, field=change.field, before=change.before, after=change.after)


class RepairAnswer(Wire):
    """A repair on record; without changes when nothing was wrong."""

    id: str
    account: str
    month: str | None
    repaired_at: datetime
    changes: tuple[ChangeAnswer, ...]

    @classmethod
    def of(cls, repair: Repair) -> Self:
        """The repair on the wire."""
        return cls(
            id=repair.id,
            account=repair.account,
            month=repair.month,
            repaired_at=repair.repaired_at,
            changes=tuple(ChangeAnswer.of(change) for change in repair.changes),
        )


class ProofTask(Wire):
    """The day whose proof is asked for, the proof that was asked for by id, or the minute of a sample."""

    day: IsoDate | None = None
    proof: StoredIdText | None = None
    sample: Annotated[str, Field(pattern=r"^[0-9T:-]{16}$")] | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if [self.day, self.proof, self.sample].count(None) != 2:  # noqa: PLR2004 - one of three
            message = "a task asks for one proof"
            raise ValueError(message)
        return self

    @property
    def why(self) -> str:
        """What the audit record says."""
        return f"sample of {self.sample}" if self.sample else f"daily proof of {self.day}" if self.day else "on demand"
