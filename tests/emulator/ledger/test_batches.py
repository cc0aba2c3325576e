"""Batches on the real emulator: linked ones all or nothing, independent ones entry by entry, each once."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared import counters
from shared.calls import Done
from shared.faults import IdempotencyKeyReused, Refused
from shared.gcp.rpc import RpcFailed
from shared.ledger.model import AccountState
from shared.ledger.records import RecordedEntry, account_ref, entry_ref
from shared.ledger.refusals import EntryExists, InsufficientFunds
from shared.ledger.use_cases.batches import BatchResult, Mode, batch_ref
from shared.ledger.use_cases.together import APART_SECONDS, Result, Together
from shared.ledger.use_cases.writer import Writer
from shared.limits import COMMIT_ATTEMPTS
from shared.ports import Decision, Query, Update
from tests.builders import ACME, a_call, a_sale, entry_id
from tests.emulator.ledger.asked import passes
from tests.emulator.ledger.batching import (
    BOTH,
    WALLET,
    a_batch,
    a_deposit,
    a_withdrawal,
    batches,
    in_wallet,
    journal,
    outcomes,
    post,
    sales,
    with_wallet,
)
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.lines import Commit, Switch, first, held, lost, lost_then, unsent


class Killed(BaseException):
    """The instance dies here."""


def dies() -> None:
    """Die as a killed process does."""
    raise Killed


# --- what a batch costs ------------------------------------------------------------------


@BOTH
def test_a_warm_batch_costs_no_read_and_one_commit(kept: Bookkeeping, mode: Mode) -> None:
    """Fifty entries on two accounts: the entries, two totals, the batch's record and its audit record."""
    for number in range(40):
        post(kept, mode, sales(2, start=100 * number + 1_000), key=f"warm-{number}")
    spent = counters.begin()
    post(kept, mode, sales(50))
    assert (spent.reads, spent.rpcs, spent.writes) == (0, 1, 54)
    assert kept.proven()


@BOTH
def test_a_cold_batch_costs_one_read_of_everything_and_one_commit(kept: Bookkeeping, mode: Mode) -> None:
    """The first of a month, on an instance that knows nothing."""
    spent = counters.begin()
    post(kept, mode, sales(50))
    assert spent.rpcs == 2
    assert kept.proven()


# --- once --------------------------------------------------------------------------------


def test_a_batch_in_which_no_entry_could_be_built_is_recorded_and_answered(kept: Bookkeeping) -> None:
    """It was an error of ours, and of its key nothing was known."""
    call, batch = a_batch(Mode.INDEPENDENT, ())
    batch = replace(batch, places=(InsufficientFunds("not built"),))
    for _ in range(2):
        assert batches(kept).post(call, batch).answer.results == batch.places
    assert kept.store.get([ref := batch_ref(ACME, batch.id)])[ref]
    with pytest.raises(IdempotencyKeyReused):
        batches(kept).post(replace(call, request_hash="another"), batch)


@BOTH
def test_told_twice_it_is_posted_once(kept: Bookkeeping, other: Bookkeeping, mode: Mode) -> None:
    """The same batch answers the same on this instance and on another."""
    done = post(kept, mode, sales(5))
    again, elsewhere = post(kept, mode, sales(5)), post(other, mode, sales(5))
    assert (done.replayed, again.replayed, elsewhere.replayed) == (False, True, True)
    assert outcomes(done) == outcomes(again) == outcomes(elsewhere) == ["posted"] * 5
    assert (journal(kept), kept.proven()) == (5, True)


@BOTH
def test_the_answer_told_again_is_of_what_was_posted(kept: Bookkeeping, mode: Mode) -> None:
    """A redelivery across midnight, whose defaults would be another day's, answers the day that was posted."""
    call, batch = a_batch(mode, sales(2))
    kept_day = batch.entries[0].effective_on
    batches(kept).post(call, batch)
    later = tuple(
        replace(one, entry=replace(one.entry, effective_on=kept_day.replace(day=17))) for one in batch.postings
    )
    again = batches(kept).post(call, replace(batch, places=later))
    assert [one.entry.effective_on for one in recorded(again)] == [kept_day] * 2


def recorded(done: Done[BatchResult]) -> list[RecordedEntry]:
    """The entries as the answer has them."""
    outcomes = [one.outcome for one in done.answer.results if isinstance(one, Result)]
    return [one for one in outcomes if isinstance(one, RecordedEntry)]


@BOTH
def test_another_batch_under_the_same_key_is_refused_and_writes_nothing(kept: Bookkeeping, mode: Mode) -> None:
    """The request hash decides, whatever the entries."""
    post(kept, mode, sales(2))
    call, batch = a_batch(mode, sales(3, start=10))
    with pytest.raises(IdempotencyKeyReused):
        batches(kept).post(replace(call, request_hash="hash-2"), batch)
    assert journal(kept) == 2


@BOTH
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_commit_without_an_answer_posts_once(kept: Bookkeeping, mode: Mode, fault: Switch, *, warm: bool) -> None:
    """Whether it landed or not, every entry is there once."""
    if warm:
        post(kept, mode, sales(1, start=100), key="warm")
    kept.line.commits.append(fault)
    assert outcomes(post(kept, mode, sales(4))) == ["posted"] * 4
    assert (journal(kept), kept.proven()) == (5 if warm else 4, True)


@BOTH
def test_eight_at_once_post_one(kept: Bookkeeping, mode: Mode) -> None:
    """The same batch eight times at the same time moves money once."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: outcomes(post(kept, mode, sales(6))), range(8)))
    assert answers == [["posted"] * 6] * 8
    assert (journal(kept), kept.proven()) == (6, True)


@pytest.mark.parametrize(
    ("mode", "survived"), [(Mode.LINKED, 0), (Mode.LINKED, 1), *((Mode.INDEPENDENT, one) for one in range(6))]
)
def test_killed_anywhere_it_is_finished_by_the_next_delivery(
    kept: Bookkeeping, other: Bookkeeping, mode: Mode, survived: int
) -> None:
    """The instance dies before its n-th commit, the earlier ones having failed or landed."""
    kept.line.commits = [*[unsent, passes, passes, unsent, passes][:survived], first(dies)]
    with pytest.raises(Killed):
        post(kept, mode, sales(4))
    assert other.proven("killed")
    assert outcomes(post(other, mode, sales(4))) == ["posted"] * 4
    assert (journal(other), other.proven()) == (4, True)


# --- linked ------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", range(4))
def test_a_bad_one_anywhere_refuses_a_linked_batch_and_leaves_nothing_in_the_books(kept: Bookkeeping, bad: int) -> None:
    """The refusal names the entry and why; it is recorded under the batch's id, and answers again."""
    with_wallet(kept, 10)
    entries = [a_withdrawal(50 if place == bad else 1, f"w{place}") for place in range(4)]
    for instance in range(2):
        with pytest.raises(Refused) as refused:
            post(kept, Mode.LINKED, entries)
        assert refused.value.code == "insufficient_funds", instance
        assert refused.value.field == f"entries.{bad}.lines"
        assert dict(refused.value.detail) == {"account": WALLET.code, "index": bad, "entry": entries[bad].id}
    assert (journal(kept), in_wallet(kept), kept.proven()) == (1, 10, True)


def test_a_refused_linked_batch_stays_refused_when_the_reason_is_gone(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Redelivery after the state changed."""
    with_wallet(kept, 10)
    entries = [a_withdrawal(5, "w0"), a_withdrawal(50, "w1")]
    with pytest.raises(InsufficientFunds):
        post(kept, Mode.LINKED, entries)
    kept.books.post(a_call("more"), a_deposit(500, "more"))
    with pytest.raises(Refused) as again:
        post(other, Mode.LINKED, entries)
    assert again.value.code == "insufficient_funds"
    assert in_wallet(kept) == 510


@pytest.mark.parametrize("warm", [False, True])
def test_an_earlier_entry_of_a_linked_batch_funds_a_later_one_and_not_the_other_way(
    kept: Bookkeeping, *, warm: bool
) -> None:
    """Sequential, as a chain of single postings would be, on both paths."""
    with_wallet(kept, 0)
    if warm:
        kept.books.post(a_call("warm"), a_deposit(1, "warm"))
        post(kept, Mode.LINKED, [a_deposit(1, "in"), a_withdrawal(2, "out")], key="warm-2")
    assert outcomes(post(kept, Mode.LINKED, [a_deposit(70, "a"), a_withdrawal(70, "b")])) == ["posted"] * 2
    with pytest.raises(InsufficientFunds):
        post(kept, Mode.LINKED, [a_withdrawal(70, "c"), a_deposit(70, "d")], key="reversed")
    assert (in_wallet(kept), kept.proven()) == (0, True)


def test_a_linked_batch_lands_late_on_nothing(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A commit held up on its way finds the batch's id taken by its refusal."""
    with_wallet(kept, 100)
    kept.books.post(a_call("warm"), a_withdrawal(1, "warm"))
    late: list[Commit] = []
    spend = [a_withdrawal(40, "w0"), a_withdrawal(40, "w1")]
    kept.line.commits.append(held(late, lambda: other.books.post(a_call("rest"), a_withdrawal(60, "rest"))))
    with pytest.raises(InsufficientFunds):
        post(kept, Mode.LINKED, spend)
    with pytest.raises(RpcFailed):
        late[0]()
    assert (in_wallet(kept), kept.proven()) == (39, True)


def test_posted_debits_of_a_lost_answer_are_not_answered_insufficient_funds(
    kept: Bookkeeping, other: Bookkeeping
) -> None:
    """The batch lands, its answer is lost, the rest of the money goes: the answer is still posted."""
    with_wallet(kept, 100)
    kept.line.commits.append(lost_then(lambda: other.books.post(a_call("rest"), a_withdrawal(40, "rest"))))
    assert outcomes(post(kept, Mode.LINKED, [a_withdrawal(30, "w0"), a_withdrawal(30, "w1")])) == ["posted"] * 2
    assert (in_wallet(kept), kept.proven()) == (0, True)


def test_an_entry_that_is_there_refuses_a_linked_batch(kept: Bookkeeping) -> None:
    """Posted by another batch under its own key: all or nothing cannot hold any more."""
    post(kept, Mode.INDEPENDENT, sales(1))
    with pytest.raises(EntryExists) as refused:
        post(kept, Mode.LINKED, sales(3), key="linked")
    assert refused.value.detail["index"] == 0
    assert (journal(kept), kept.proven()) == (1, True)


# --- independent -------------------------------------------------------------------------


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("bad", range(4))
def test_a_bad_one_anywhere_fails_alone(kept: Bookkeeping, bad: int, *, warm: bool) -> None:
    """The others are posted, the bad one is refused and says why, and the same is answered again."""
    with_wallet(kept, 10)
    if warm:
        kept.books.post(a_call("warm"), a_withdrawal(1, "warm"))
    entries = [a_withdrawal(50 if place == bad else 1, f"w{place}") for place in range(4)]
    expected = ["insufficient_funds" if place == bad else "posted" for place in range(4)]
    assert outcomes(post(kept, Mode.INDEPENDENT, entries)) == expected
    kept.books.post(a_call("more"), a_deposit(500, "more"))
    assert outcomes(post(kept, Mode.INDEPENDENT, entries)) == expected
    assert not kept.books.entry(ACME, entries[bad].id).posted
    assert kept.proven()


def test_what_is_there_is_replayed_and_the_rest_posted(kept: Bookkeeping) -> None:
    """A second batch under another key brings some entries again."""
    post(kept, Mode.INDEPENDENT, sales(3))
    done = post(kept, Mode.INDEPENDENT, sales(5, start=1), key="second")
    replayed = [one.replayed for one in done.answer.results if isinstance(one, Result)]
    assert (outcomes(done), replayed) == (["posted"] * 5, [True, True, False, False, False])
    assert (journal(kept), kept.proven()) == (6, True)


def test_an_id_used_with_another_request_is_refused_alone(kept: Bookkeeping) -> None:
    """The same entry's key over another body, among good ones."""
    post(kept, Mode.INDEPENDENT, sales(1))
    mixed = [a_sale(1, name="sale-0", request_hash="hash-2"), *sales(2, start=5)]
    assert outcomes(post(kept, Mode.INDEPENDENT, mixed, key="second")) == ["idempotency_key_reused", "posted", "posted"]
    assert (journal(kept), kept.proven()) == (3, True)


def test_an_independent_batch_lands_late_on_nothing(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A commit held up on its way finds the ids of its entries taken, posted and refused."""
    with_wallet(kept, 100)
    kept.books.post(a_call("warm"), a_withdrawal(1, "warm"))
    late: list[Commit] = []
    kept.line.commits.append(held(late, lambda: other.books.post(a_call("rest"), a_withdrawal(50, "rest"))))
    spend = [a_withdrawal(40, "w0"), a_withdrawal(40, "w1")]
    assert outcomes(post(kept, Mode.INDEPENDENT, spend)) == ["posted", "insufficient_funds"]
    with pytest.raises(RpcFailed):
        late[0]()
    assert (in_wallet(kept), kept.proven()) == (9, True)


def test_an_entry_that_gets_no_answer_is_retryable_and_the_others_are_not(kept: Bookkeeping) -> None:
    """Contention on one is told of that one; the next delivery posts it."""
    post(kept, Mode.INDEPENDENT, sales(2, start=50), key="warm")
    kept.line.commits = [unsent, passes, *[unsent] * 8, passes]
    assert outcomes(post(kept, Mode.INDEPENDENT, sales(3))) == ["retry", "posted", "posted"]
    assert outcomes(post(kept, Mode.INDEPENDENT, sales(3))) == ["posted"] * 3
    assert (journal(kept), kept.proven()) == (5, True)


def test_after_a_failure_entries_go_on_in_halves_and_not_one_by_one(kept: Bookkeeping) -> None:
    """A rival's lock held up a commit of 64: two commits of 32 follow, after the batch's record."""
    kept.line.commits = [unsent]
    before = len(kept.line.paths)
    assert outcomes(post(kept, Mode.INDEPENDENT, sales(64))) == ["posted"] * 64
    assert kept.line.paths[before:].count("Commit") == 4
    assert (journal(kept), kept.proven()) == (64, True)


@pytest.mark.parametrize("bad", [0, 3, 4, 7])
def test_an_account_between_two_states_keeps_only_its_own_entry_waiting(kept: Bookkeeping, bad: int) -> None:
    """The others are posted in one commit; the same batch posts it when the account is decided on."""
    with_wallet(kept, 100)
    ref = account_ref(ACME, WALLET.code)

    def turn(state: AccountState, version: int) -> None:
        before = kept.store.get([ref])[ref]
        assert before is not None
        turned = Update(ref, {"state": state.value, "version": version}, before.version)
        kept.store.transact((), lambda _: Decision(None, (turned,)))

    turn(AccountState.CLOSING, 2)
    entries = [a_withdrawal(1, "w") if place == bad else one for place, one in enumerate(sales(8))]
    before = len(kept.line.paths)
    expected = ["retry" if place == bad else "posted" for place in range(8)]
    assert outcomes(post(kept, Mode.INDEPENDENT, entries)) == expected
    assert kept.line.paths[before:].count("Commit") == 1
    assert (journal(kept), kept.proven()) == (8, True)
    kept.line.commits = [first(lambda: turn(AccountState.OPEN, 3))]
    before = len(kept.line.paths)
    more = [a_withdrawal(1, "w"), *(replace(one, id=entry_id(f"more-{place}")) for place, one in enumerate(sales(3)))]
    assert outcomes(post(kept, Mode.INDEPENDENT, more, key="more")) == ["retry"] + ["posted"] * 3
    assert kept.line.paths[before:].count("Commit") == 2, "theirs and the control operation's: none had to be repeated"
    assert outcomes(post(kept, Mode.INDEPENDENT, entries)) == ["posted"] * 8
    assert (journal(kept), kept.proven()) == (12, True)


def test_what_makes_a_commit_fail_is_halved_until_it_fails_alone(kept: Bookkeeping) -> None:
    """The first entry of eight fails every commit that it is in: eight, four, two, and one as often as one tries."""
    kept.line.commits = [unsent, passes, *[unsent] * (2 + COMMIT_ATTEMPTS)]
    before = len(kept.line.paths)
    assert outcomes(post(kept, Mode.INDEPENDENT, sales(8))) == ["retry"] + ["posted"] * 7
    commits = kept.line.paths[before:].count("Commit")
    assert commits == len(("all", "record", "4", "2", *range(COMMIT_ATTEMPTS), "1", "2", "4"))
    assert (journal(kept), kept.proven()) == (7, True)


def test_what_finds_no_time_after_a_failure_is_to_be_retried(kept: Bookkeeping) -> None:
    """The first half takes it all; the same batch again finishes the second."""
    ticks = itertools.count(step=APART_SECONDS)
    kept.books.writer = Writer(Together(kept.desk, kept.books.memory, lambda: next(ticks)))
    kept.line.commits = [unsent]
    assert outcomes(post(kept, Mode.INDEPENDENT, sales(8))) == ["posted"] * 4 + ["retry"] * 4
    kept.books.writer = Writer(kept.books.together)
    assert outcomes(post(kept, Mode.INDEPENDENT, sales(8))) == ["posted"] * 8
    assert (journal(kept), kept.proven()) == (8, True)


def test_every_batch_leaves_one_record_and_one_audit_record(kept: Bookkeeping) -> None:
    """Also one whose entries went alone, one of a single entry, and one that was refused."""
    post(kept, Mode.INDEPENDENT, sales(1, start=50), key="single")
    kept.line.commits.append(unsent)
    post(kept, Mode.INDEPENDENT, sales(3), key="alone")
    with pytest.raises(EntryExists):
        post(kept, Mode.LINKED, sales(3), key="refused")
    assert kept.store.aggregate(Query("batches", ACME))["count"] == 3
    audit = kept.store.query(Query("audit", ACME)).documents
    assert sorted(str(one["refused"]) for one in audit) == ["None", "None", "entry_exists"]
    assert {one["action"] for one in audit} == {"batch.post"}


def test_the_record_of_a_linked_batch_is_found_under_its_id(kept: Bookkeeping) -> None:
    """For whoever reads the books: which entries came together."""
    call, batch = a_batch(Mode.LINKED, sales(2))
    batches(kept).post(call, batch)
    ref = batch_ref(ACME, batch.id)
    record = kept.store.get([ref, entry_ref(ACME, batch.entries[0].id)])[ref]
    assert record is not None
    assert (record["mode"], record["entries"]) == ("linked", [entry.id for entry in batch.entries])
