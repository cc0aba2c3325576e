"""A dry run on the real emulator: what the posting is then answered, and not one byte written."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.faults import Refused
from shared.ledger.model import Account, AccountType, EntryKind, Floor, JournalEntry, credit, debit
from shared.ledger.records import create_account
from shared.ledger.rules.control import Control
from shared.ledger.use_cases.batches import Batch, Batches, Mode
from shared.ledger.use_cases.dry_run import DryRun, DryRuns, Would
from shared.ledger.use_cases.together import Posting, Result
from shared.money import Money
from shared.ports import Decision, Query
from shared.settings import Settings
from tests.builders import ACME, TODAY, a_call, a_sale, entry_id
from tests.emulator.doors.conftest import every_document
from tests.emulator.ledger.conftest import Bookkeeping

WALLET = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 20))
TILL = Account("assets:till", AccountType.ASSET, "Till", shards=1, floor=Floor("EUR", 0))
FROZEN = Account("assets:frozen", AccountType.ASSET, "Frozen")
CODES = (WALLET.code, TILL.code, FROZEN.code, "assets:bank", "assets:nowhere")
DAYS = tuple(TODAY.replace(month=month) for month in (9, 10, 11))

Drawn = tuple[JournalEntry, ...]


@st.composite
def drawn_entries(draw: st.DrawFn, most: int) -> Drawn:
    """Some two-line entries between any of the accounts, in any month, of either kind."""
    entries = []
    for number in range(draw(st.integers(1, most))):
        money = Money(draw(st.integers(1, 40)), draw(st.sampled_from(("EUR", "EUR", "EUR", "GBP"))))
        to, of = draw(st.sampled_from(CODES)), draw(st.sampled_from(CODES))
        kind, day = draw(st.sampled_from(EntryKind)), draw(st.sampled_from(DAYS))
        name = f"drawn-{number}"
        entries.append(JournalEntry(entry_id(name), (debit(to, money), credit(of, money)), day, name, "hash-1", kind))
    return tuple(entries)


@pytest.fixture
def books(kept: Bookkeeping) -> Bookkeeping:
    """Two floored accounts, one frozen, one month softly and one hard closed."""
    accounts = [write for account in (WALLET, TILL, FROZEN) for write in create_account(ACME, account)]
    kept.store.transact((), lambda _: Decision(None, tuple(accounts)))
    kept.controls.run(a_call("freeze"), Control.FREEZE, FROZEN.code)
    kept.controls.run(a_call("soft"), Control.SOFT_CLOSE, "2026-10")
    kept.controls.run(a_call("hard"), Control.HARD_CLOSE, "2026-09")
    return kept


def stored(given_settings: Settings) -> dict[str, bytes]:
    """Every document of the database, byte by byte."""
    documents = every_document(given_settings, given_settings.database)
    return {name: document.SerializeToString(deterministic=True) for name, document in documents.items()}


def named(entry: JournalEntry, example: str) -> JournalEntry:
    """The entry under an id of this example's own."""
    name = f"{example}-{entry.cause}"
    return replace(entry, id=entry_id(name), cause=name)


def said(run: DryRun) -> list[tuple[str, object, object]]:
    """Verdicts as code, field and detail."""
    return [("posted", None, None) if one.would is Would.POST else why(one.refusal) for one in run.results]


def why(refusal: Refused | None) -> tuple[str, object, object]:
    """A refusal's code, field and detail."""
    return ("", None, None) if refusal is None else (refusal.code, refusal.field, dict(refusal.detail))


examples = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@examples
@given(entries=drawn_entries(6), data=st.data())
def test_a_dry_run_says_what_posting_then_answers(
    books: Bookkeeping, settings: Settings, entries: Drawn, data: Any
) -> None:
    """Any entry at any state of the books: the same refusal or none, and the database stays as it was."""
    example = str(books.store.aggregate(Query("entries", ACME))["count"]) + data.draw(st.text("abc", max_size=6))
    for entry in (named(one, example) for one in entries):
        before = stored(settings)
        run = DryRuns(books.desk).entry(a_call("dry"), entry)
        assert stored(settings) == before
        assert said(run) == [posted_or_why(books, entry)]
        assert DryRuns(books.desk).entry(a_call("dry"), entry).available == run.available


def posted_or_why(books: Bookkeeping, entry: JournalEntry) -> tuple[str, object, object]:
    """The real answer in the same words."""
    try:
        books.books.post(a_call(entry.cause), entry)
    except Refused as refusal:
        return why(refusal)
    return "posted", None, None


@examples
@given(entries=drawn_entries(5), mode=st.sampled_from(Mode), data=st.data())
def test_a_dry_run_of_a_batch_says_what_the_batch_then_answers(
    books: Bookkeeping, settings: Settings, entries: Drawn, mode: Mode, data: Any
) -> None:
    """The entry that a linked batch fails on, or every entry's own answer, and nothing is written."""
    example = str(books.store.aggregate(Query("batches", ACME))["count"]) + data.draw(st.text("abc", max_size=6))
    call = a_call(f"batch-{example}")
    postings = tuple(Posting(call, named(entry, f"batch-{example}"), audited=False) for entry in entries)
    batch = Batch(call.cause.stored_id("batch"), mode, postings)
    before = stored(settings)
    run = DryRuns(books.desk).batch(call, batch)
    assert stored(settings) == before
    assert said_of(run, mode) == answered_by(books, batch)


def said_of(run: DryRun, mode: Mode) -> list[tuple[str, object, object]]:
    """As `said`; of a linked batch that would be refused only the reason."""
    refused = [one for one in said(run) if one[0] not in {"", "posted"}]
    return refused if mode is Mode.LINKED and refused else said(run)


def answered_by(books: Bookkeeping, batch: Batch) -> list[tuple[str, object, object]]:
    """The real answer in the same words."""
    try:
        done = Batches(books.desk, books.books).post(a_call(str(batch.id)), batch)
    except Refused as refusal:
        return [why(refusal)]
    results = [one.outcome for one in done.answer.results if isinstance(one, Result)]
    return [why(one) if isinstance(one, Refused) else ("posted", None, None) for one in results]


def test_a_dry_run_tells_what_would_be_left(books: Bookkeeping) -> None:
    """What could be taken from the wallet after the withdrawal: its limit of 20 and deposit of 50, less 30."""
    books.books.post(a_call("in"), a_sale(50, name="in", to="assets:bank", of=WALLET.code))
    spend = a_sale(30, name="out", to=WALLET.code, of="assets:bank")
    run = DryRuns(books.desk).entry(a_call("dry"), spend)
    assert (run.results[0].would, run.available) == (Would.POST, {WALLET.code: 40})


def test_what_is_in_the_journal_already_would_be_replayed(books: Bookkeeping) -> None:
    """Posted: the recorded answer; refused: the recorded refusal, though the reason is gone."""
    books.books.post(a_call("a"), a_sale(name="a"))
    runs = DryRuns(books.desk)
    assert runs.entry(a_call("a"), a_sale(name="a")).results[0].would is Would.REPLAY
    spend = a_sale(30, name="out", to=WALLET.code, of="assets:bank")
    with pytest.raises(Refused):
        books.books.post(a_call("out"), spend)
    books.books.post(a_call("in"), a_sale(50, name="in", to="assets:bank", of=WALLET.code))
    assert said(runs.entry(a_call("out"), spend))[0][0] == "insufficient_funds"


def test_a_dry_run_is_of_its_moment(books: Bookkeeping) -> None:
    """A backdated entry is judged by the month it would belong to, as it stands now."""
    late = a_sale(name="late", on=TODAY - timedelta(days=31))
    assert said(DryRuns(books.desk).entry(a_call("dry"), late))[0][0] == "period_closed"
