"""Reopening a month: from which states, with which record, and what its totals are then."""

import pytest

from shared.faults import Refused
from shared.ledger.model import EntryKind, Period, PeriodState
from shared.ledger.records import period_ref, read_period
from shared.ledger.rules.control import Control
from shared.ports import Query
from tests.builders import ACME, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.orders import live_totals

MONTH = "2026-11"
CHARGES = "expenses:bank_charges"
CAPITAL = "equity:share_capital"


def period(kept: Bookkeeping) -> Period:
    """The month as it is kept."""
    document = kept.store.get([period_ref(ACME, MONTH)])[period_ref(ACME, MONTH)]
    assert document is not None
    return read_period(document)


def sold(kept: Bookkeeping, name: str, kind: EntryKind = EntryKind.REGULAR) -> str:
    """What an entry of 100 comes to, on accounts of one shard each: every close of a month meets the same totals."""
    try:
        kept.books.post(a_call(name), a_sale(100, name=name, kind=kind, to=CHARGES, of=CAPITAL))
    except Refused as refusal:
        return refusal.code
    return "posted"


@pytest.mark.parametrize("close", [Control.SOFT_CLOSE, Control.HARD_CLOSE])
def test_a_closed_month_is_reopened_and_closed_again(kept: Bookkeeping, other: Bookkeeping, close: Control) -> None:
    """Both instances post again, the closed figures stay in, and the next close merges what came."""
    assert (sold(kept, "a"), sold(other, "b")) == ("posted", "posted")
    kept.controls.run(a_call("close"), close, MONTH)
    assert sold(other, "refused") == "period_closed"
    kept.controls.run(a_call("reopen"), Control.REOPEN, MONTH)
    assert period(kept) == Period(MONTH, PeriodState.OPEN, version=3)
    assert (sold(kept, "c"), sold(other, "d")) == ("posted", "posted")
    kept.controls.run(a_call("close again"), close, MONTH)
    assert (sold(kept, "late"), live_totals(kept, "month", MONTH)) == ("period_closed", 0)
    capital = next(row for row in kept.reports.trial_balance(ACME, MONTH).rows if row.account == CAPITAL)
    assert (capital.credits, period(kept).version, kept.proven()) == (400, 4, True)


def test_a_hard_closed_month_is_reopened_for_adjusting_entries_only(kept: Bookkeeping) -> None:
    """Half way back: regular entries stay out."""
    kept.controls.run(a_call("hard"), Control.HARD_CLOSE, MONTH)
    kept.controls.run(a_call("reopen"), Control.REOPEN_FOR_ADJUSTING, MONTH)
    assert (sold(kept, "adjusting", EntryKind.ADJUSTING), sold(kept, "regular")) == ("posted", "period_closed")
    assert kept.proven()


@pytest.mark.parametrize(
    ("before", "control"),
    [
        (None, Control.REOPEN),
        (None, Control.REOPEN_FOR_ADJUSTING),
        (Control.SOFT_CLOSE, Control.REOPEN_FOR_ADJUSTING),
    ],
)
def test_what_is_not_closed_so_far_is_not_reopened(kept: Bookkeeping, before: Control | None, control: Control) -> None:
    """An open month is open; a softly closed one takes adjusting entries already."""
    if before:
        kept.controls.run(a_call("before"), before, MONTH)
    with pytest.raises(Refused) as caught:
        kept.controls.run(a_call("reopen"), control, MONTH)
    assert caught.value.code == "wrong_state"


def test_a_reopening_is_on_record_with_its_reason(kept: Bookkeeping) -> None:
    """Who, why, which month and which version: the operation and its audit record."""
    kept.controls.run(a_call("hard"), Control.HARD_CLOSE, MONTH)
    call = a_call("reopen", once=True).because("late supplier invoice")
    done = kept.controls.run(call, Control.REOPEN, MONTH)
    assert kept.controls.run(call, Control.REOPEN, MONTH).answer == done.answer
    audits = kept.store.query(Query("audit", ACME)).documents
    (audit,) = [document for document in audits if document["action"] == "reopen"]
    assert (audit["reason"], audit["principal"]) == ("late supplier invoice", "user:ann")
    assert audit["object"] == f"tenants/{ACME}/ops/{done.answer.id}"
    assert (done.answer.target, done.answer.version) == (MONTH, 2)
