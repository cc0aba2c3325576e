"""Shifts and carried balances are proven too: one altered is found, logged, repaired, and the books are right again."""

from datetime import date

import pytest
import structlog

from shared.ledger.refusals import JournalAltered
from shared.ledger.rules.balances import View
from shared.ledger.rules.carry import carried_ref, chain_ref, read_chain
from shared.ledger.rules.carry import repaired as discarded
from shared.ledger.use_cases.carry import CarryForward
from shared.ports import Delete, Document, FieldPath, Increment, Put, Query, Value, Where
from shared.settings import Settings
from tests.builders import ACME, a_call
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.sealing import a_double
from tests.emulator.ledger.test_balances import balance, close, post, year_of_sales
from tests.emulator.ledger.test_proofs import RECEIVABLE, repaired, whole, write
from tests.emulator.ledger.test_proofs_damaged import altered

pytestmark = pytest.mark.emulator

OCTOBER = date(2026, 10, 31)


def shifted(kept: Bookkeeping, code: str = RECEIVABLE) -> list[Document]:
    """The shifts of an account, by month."""
    found = kept.store.query(Query("shifts", ACME, (Where("account", "==", code),))).documents
    return sorted((one for one in found if one["month"]), key=lambda one: str(one["month"]))


def two_days(kept: Bookkeeping) -> None:
    """Sales that are posted on another day than they are for: next month, earlier, and the same month."""
    post(kept, "late", 100, date(2026, 9, 28), date(2026, 10, 2))
    post(kept, "early", 30, date(2026, 10, 20), date(2026, 9, 30))
    post(kept, "near", 5, date(2026, 10, 5), date(2026, 10, 6))
    post(kept, "own", 7, date(2026, 10, 7), date(2026, 10, 7))


@pytest.mark.parametrize("path", [("debits",), ("credits",), ("d", "02", "debits")], ids=".".join)
def test_altered_shifts_are_found_named_repaired_and_proven(kept: Bookkeeping, path: FieldPath) -> None:
    """The proof names account and month, the repair adds exactly the difference beside what was damaged."""
    two_days(kept)
    assert whole(kept, "sound").holds
    right = {on: balance(kept, on, View.POSTED) for on in (date(2026, 9, 30), date(2026, 10, 2), OCTOBER)}
    victim = shifted(kept)[-1]
    assert victim["month"] == "2026-10"
    write(kept, Increment(victim.ref, {path: 11}, must_exist=True))
    with structlog.testing.capture_logs() as logs:
        proof = whole(kept, "before")
    place = f"{RECEIVABLE}/EUR/2026-10/shifts"
    assert (proof.holds, proof.shifts, proof.named) == (False, 1, (place,))
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["ledger_proof_failed"]
    changes = repaired(kept, "repair", RECEIVABLE, "2026-10")
    assert [(one.place, one.field, one.after - one.before) for one in changes] == [(place, ".".join(path), -11)]
    assert whole(kept, "after").holds
    assert {on: balance(kept, on, View.POSTED) for on in right} == right
    assert repaired(kept, "repair", RECEIVABLE, "2026-10") == changes, "told twice, done once"
    assert repaired(kept, "another", RECEIVABLE, "2026-10") == ()


def test_shifts_that_are_gone_garbled_or_of_nobody_are_found(kept: Bookkeeping, settings: Settings) -> None:
    """One deleted, one that no entry made; a sum that is a double is as if it were missing, and no crash."""
    two_days(kept)
    september, *_, october = shifted(kept)
    write(kept, Delete(september.ref), Put(october.ref, {**october.fields, "month": "2026-03"}))
    proof = whole(kept, "before")
    assert set(proof.named) == {f"{RECEIVABLE}/EUR/2026-{month}/shifts" for month in ("03", "09", "10")}
    for month in ("2026-03", "2026-09", "2026-10"):
        repaired(kept, f"repair-{month}", RECEIVABLE, month)
    assert whole(kept, "after").holds
    a_double(settings, shifted(kept, "revenue:sales")[0].ref, "credits")
    assert whole(kept, "double").shifts == 1


def test_a_shift_repair_stays_exact_beside_postings_and_refuses_an_altered_journal(kept: Bookkeeping) -> None:
    """What is posted later moves shifts and entries alike; an entry that lies is not followed."""
    two_days(kept)
    write(kept, Increment(shifted(kept)[-1].ref, {("debits",): 5}, must_exist=True))
    repaired(kept, "repair", RECEIVABLE, "2026-10")
    post(kept, "more", 9, date(2026, 9, 1), date(2026, 10, 9))
    assert whole(kept, "after").holds
    # effective in September, posted in October: only its posting day leads a repair of October to it
    altered(kept, "late", content_hash="0" * 64)
    with pytest.raises(JournalAltered):
        repaired(kept, "again", RECEIVABLE, "2026-10")


def carried_year(kept: Bookkeeping) -> None:
    """A sale a month from January to October, all closed and carried through March, then through September."""
    year_of_sales(kept)
    for first, last in ((1, 3), (4, 9)):
        for month in range(first, last + 1):
            close(kept, f"2026-{month:02d}")
        CarryForward(kept.desk).carry(ACME)


@pytest.mark.parametrize("stop", ["2026-03", "2026-09"])
def test_an_altered_carried_balance_is_found_and_after_a_repair_not_used(kept: Bookkeeping, stop: str) -> None:
    """Every balance that may be used is proven, not the newest alone; readers add up the months again."""
    carried_year(kept)
    assert whole(kept, "sound").holds
    right = balance(kept, OCTOBER)
    ref = carried_ref(ACME, RECEIVABLE, stop)
    document = kept.store.get([ref])[ref]
    assert document is not None
    sums = {"EUR": {"debits": 1_000_000, "credits": 0, "count": document["sums"]["EUR"]["count"]}}  # type: ignore[index,call-overload]
    write(kept, Put(ref, {**document.fields, "sums": sums}))
    assert (balance(kept, OCTOBER) != right) == (stop == "2026-09")
    proof = whole(kept, "before")
    place = f"{RECEIVABLE}/EUR/{stop}/carried"
    assert (proof.holds, proof.carried, proof.named) == (False, 1, (place,))
    (change,) = repaired(kept, "repair", RECEIVABLE, stop)
    assert (change.place, change.field, change.before) == (place, "debits", 1_000_000)
    assert change.after == sum(range(1, int(stop[-2:]) + 1))
    assert (balance(kept, OCTOBER), whole(kept, "after").holds) == (right, True)
    close(kept, "2026-10")
    assert CarryForward(kept.desk).carry(ACME) == "2026-10"
    assert whole(kept, "carried again").holds


def test_a_carried_balance_that_is_gone_or_of_nobody_is_found(kept: Bookkeeping) -> None:
    """One deleted, one of an account that never moved, one whose sums are none: each by its name."""
    carried_year(kept)
    ghost: dict[str, Value] = {
        "schema": 1,
        "account": "assets:ghost",
        "month": "2026-09",
        "sums": {"EUR": {"debits": 1, "credits": 1}},
    }
    empty: dict[str, Value] = {"schema": 1, "account": "revenue:sales", "month": "2026-09", "sums": "nothing"}
    write(
        kept,
        Delete(carried_ref(ACME, RECEIVABLE, "2026-09")),
        Put(carried_ref(ACME, "assets:ghost", "2026-09"), ghost),
        Put(carried_ref(ACME, "revenue:sales", "2026-09"), empty),
    )
    accounts = ("assets:ghost", RECEIVABLE, "revenue:sales")
    assert set(whole(kept, "before").named) == {f"{code}/EUR/2026-09/carried" for code in accounts}


def test_what_is_not_used_any_more_is_not_judged(kept: Bookkeeping) -> None:
    """After a reopening, or a repair, no reader looks at what was carried: wrong or not, nothing rests on it."""
    carried_year(kept)
    for stop in ("2026-03", "2026-09"):
        write(kept, Delete(carried_ref(ACME, RECEIVABLE, stop)))
    assert whole(kept, "before").carried == 2
    write(kept, discarded(ACME))
    assert whole(kept, "after").holds
    chain = kept.store.get([chain_ref(ACME)])[chain_ref(ACME)]
    assert read_chain(chain).stops == ("2026-03", "2026-09")
    assert kept.proofs.prove(a_call("once more")).answer.carried == 0
