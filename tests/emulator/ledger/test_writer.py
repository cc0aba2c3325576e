"""The batching writer on the real emulator: many at once, above all on one floored account, each answered truly."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from shared import counters
from shared.gcp.rpc import RpcFailed
from shared.ledger.model import JournalEntry, credit, debit
from shared.ledger.rules.control import Control
from shared.ledger.use_cases.writer import Writer
from shared.ports import Query, Where
from tests.builders import ACME, TODAY, a_call, entry_id, euros
from tests.emulator.ledger.asked import Killed, killed, killed_after, passes
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.crowds import SECONDS, WALLET, Crowd, Gate, a_deposit, a_withdrawal, in_wallet, post, some
from tests.emulator.lines import Commit, Switch, first, held, lost, unsent


def test_all_that_wait_share_the_next_commit(crowd: Crowd) -> None:
    """Thirty behind a leader are one read of the guard and one commit."""
    paths = crowd.wallet.line.paths
    before = len(paths)
    leader, followers = crowd.behind(Gate(passes), some(30))
    assert [one.result(SECONDS) for one in (leader, *followers)] == ["posted"] * 31
    assert paths[before:] == ["BatchGetDocuments", "Commit"] * 2
    assert (in_wallet(crowd.wallet), crowd.wallet.proven()) == (969, True)


def test_alone_it_costs_what_a_single_posting_does(wallet: Bookkeeping) -> None:
    """Guard and inflow are read, and the entry, two totals, the guard and an audit record are written."""
    spent = counters.begin()
    assert post(wallet, a_withdrawal(1, "one")) == "posted"
    assert (spent.reads, spent.rpcs) == (2, 2)
    assert spent.writes == 5


@pytest.mark.parametrize("bad", [0, 7, 14])
def test_a_bad_one_among_them_is_refused_alone(crowd: Crowd, bad: int) -> None:
    """Wherever it stands in the queue, it takes nobody along."""
    entries = some(15)
    entries[bad] = a_withdrawal(5_000, f"w{bad}")
    _, followers = crowd.behind(Gate(passes), entries)
    came = [one.result(SECONDS) for one in followers]
    assert came == ["insufficient_funds" if place == bad else "posted" for place in range(15)]
    assert (in_wallet(crowd.wallet), crowd.wallet.proven()) == (985, True)


def test_one_that_is_there_already_is_replayed_and_takes_nobody_along(crowd: Crowd) -> None:
    """A client's retry in the middle of a crowd fails their commit, and each is posted by itself."""
    entries = [*some(4), a_withdrawal(1, "warm-0"), *[a_withdrawal(1, f"x{one}") for one in range(4)]]
    _, followers = crowd.behind(Gate(passes), entries)
    assert sorted(one.result(SECONDS) for one in followers) == ["posted"] * 8 + ["replayed"]
    assert crowd.wallet.proven()


def test_the_same_request_twice_in_the_queue_is_posted_once(crowd: Crowd) -> None:
    """The second waits for another commit and finds it."""
    _, followers = crowd.behind(Gate(passes), [a_withdrawal(5, "same")] * 3)
    assert sorted(one.result(SECONDS) for one in followers) == ["posted", "replayed", "replayed"]
    assert (in_wallet(crowd.wallet), crowd.wallet.proven()) == (994, True)


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_commit_without_an_answer_leaves_everyone_a_true_one(crowd: Crowd, fault: Switch) -> None:
    """Whether it landed or not, each is posted once and told so."""
    crowd.wallet.line.commits = [fault]
    _, followers = crowd.behind(Gate(passes), some(12))
    assert {one.result(SECONDS) for one in followers} <= {"posted", "replayed"}
    assert (in_wallet(crowd.wallet), crowd.wallet.proven()) == (987, True)


def test_a_commit_that_lands_late_lands_on_nothing(crowd: Crowd) -> None:
    """Everyone's id is taken by then."""
    late: list[Commit] = []
    crowd.wallet.line.commits = [held(late, lambda: None)]
    _, followers = crowd.behind(Gate(passes), some(12))
    assert {one.result(SECONDS) for one in followers} == {"posted"}
    with pytest.raises(RpcFailed):
        late[0]()
    assert (in_wallet(crowd.wallet), crowd.wallet.proven()) == (987, True)


def test_a_commit_that_lands_while_they_go_alone_is_found(crowd: Crowd) -> None:
    """Nobody is told to come again, or no, for what was on its way all the time."""
    late: list[Commit] = []

    def lands() -> None:
        late[0]()

    crowd.wallet.line.commits = [held(late, lambda: None), first(lands)]
    _, followers = crowd.behind(Gate(passes), some(12))
    assert {one.result(SECONDS) for one in followers} == {"replayed"}
    assert (in_wallet(crowd.wallet), crowd.wallet.proven()) == (987, True)


@pytest.mark.parametrize(("death", "landed"), [(killed, False), (killed_after, True)])
def test_a_leader_that_dies_releases_whom_it_took_along(crowd: Crowd, death: Switch, *, landed: bool) -> None:
    """They are told to come again, and coming again finds what became of them; the queue goes on."""
    crowd.wallet.line.commits = [death]
    leader, followers = crowd.behind(Gate(passes), some(12))
    assert leader.result(SECONDS) == "posted"
    came = [one.exception(SECONDS) or one.result(SECONDS) for one in followers]
    assert sum(isinstance(one, Killed) for one in came) == 1
    assert sum(one == "retry" for one in came) == 11
    again = [post(crowd.wallet, entry) for entry in some(12)]
    assert again == ["replayed" if landed else "posted"] * 12
    assert (in_wallet(crowd.wallet), crowd.wallet.proven()) == (987, True)


def test_no_commit_holds_more_than_the_writers_limit(crowd: Crowd) -> None:
    """Twenty-five behind a leader with room for ten are three commits."""
    crowd.wallet.books.writer = Writer(crowd.wallet.books.together, entries=10)
    before = crowd.wallet.line.paths.count("Commit")
    _, followers = crowd.behind(Gate(passes), some(25))
    assert {one.result(SECONDS) for one in followers} == {"posted"}
    assert crowd.wallet.line.paths.count("Commit") - before == 1 + 3
    assert crowd.wallet.proven()


def test_no_commit_holds_more_lines_than_a_batch_may(crowd: Crowd) -> None:
    """Nine of 200 lines behind a leader: five fit into a commit's 1,000 lines, the other four into the next."""
    before = crowd.wallet.line.paths.count("Commit")
    lines = (*(debit(WALLET.code, euros(1)),) * 100, *(credit("assets:bank", euros(1)),) * 100)
    entries = [JournalEntry(entry_id(f"w{one}"), lines, TODAY, f"w{one}", "hash-1") for one in range(9)]
    _, followers = crowd.behind(Gate(passes), entries)
    assert {one.result(SECONDS) for one in followers} == {"posted"}
    assert crowd.wallet.line.paths.count("Commit") - before == 1 + 2
    assert (in_wallet(crowd.wallet), crowd.wallet.proven()) == (99, True)


def test_who_waits_too_long_is_told_to_come_again(wallet: Bookkeeping) -> None:
    """A leader that hangs holds nobody for ever; the one that left the queue is not posted behind its back."""
    wallet.books.writer = Writer(wallet.books.together, stand_seconds=1)
    gate = Gate(passes)
    wallet.line.commits = [gate]
    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(post, wallet, a_withdrawal(1, "leader"))
        assert gate.reached.wait(SECONDS)
        assert post(wallet, a_withdrawal(1, "late")) == "retry"
        gate.open.set()
        assert leader.result(SECONDS) == "posted"
    assert wallet.store.aggregate(Query("entries", ACME))["count"] == 42
    assert post(wallet, a_withdrawal(1, "late")) == "posted"


def test_who_was_taken_along_is_answered_however_long_the_leader_takes(crowd: Crowd) -> None:
    """Only who still stands in the queue is told to come again; a second gate holds the commit they are in."""
    crowd.wallet.books.writer = Writer(crowd.wallet.books.together, stand_seconds=1)
    second = Gate(passes)
    crowd.wallet.line.commits = [second]
    _, followers = crowd.behind(Gate(passes), some(5))
    assert second.reached.wait(SECONDS)
    with pytest.raises(TimeoutError):
        followers[4].result(2)
    second.open.set()
    assert [one.result(SECONDS) for one in followers] == ["posted"] * 5


def test_a_request_that_comes_again_alone_reads_its_entry_and_nothing_else(wallet: Bookkeeping) -> None:
    """The commit that failed on its id, and one look at what the commit would have created."""
    before, spent = len(wallet.line.paths), counters.begin()
    assert post(wallet, a_deposit(1, "back-0")) == "replayed"
    assert wallet.line.paths[before:] == ["Commit", "BatchGetDocuments"]
    assert spent.reads <= 2


def test_totals_that_were_retired_are_not_remembered_after_a_refusal(wallet: Bookkeeping, other: Bookkeeping) -> None:
    """Or the next shared commit would demand them, and fail."""
    totals = wallet.store.query(Query("totals", ACME, (Where("account", "==", WALLET.code),), limit=9)).documents
    assert post(wallet, a_deposit(1, "known")) == "posted"
    refs = frozenset(document.ref for document in totals)
    assert not wallet.books.memory.unknown_totals(refs)
    other.controls.run(a_call("close"), Control.SOFT_CLOSE, "2026-11")
    assert post(wallet, a_deposit(1, "late")) == "period_closed"
    assert wallet.books.memory.unknown_totals(refs) == refs


def test_eight_writers_never_overdraw_and_nobody_is_refused_wrongly(wallet: Bookkeeping) -> None:
    """400 withdrawals of 4 from 1,000: exactly 250 are posted, the rest have insufficient funds, none an error."""
    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(lambda number: post(wallet, a_withdrawal(4, f"w{number}")), range(400)))
    assert (came.count("posted"), came.count("insufficient_funds")) == (250, 150)
    assert (in_wallet(wallet), wallet.proven()) == (0, True)


def test_credits_do_not_starve_debits(wallet: Bookkeeping) -> None:
    """Eight threads that only pay in, and every withdrawal beside them is posted at the first asking."""
    stop, ready = Event(), Barrier(9)
    paid: list[int] = []

    def pay_in(thread: int) -> None:
        ready.wait(SECONDS)
        for number in range(400):
            if stop.is_set():
                return
            assert post(wallet, a_deposit(1, f"d{thread}-{number}")) == "posted"
            paid.append(1)

    with ThreadPoolExecutor(9) as pool:
        storm = [pool.submit(pay_in, thread) for thread in range(8)]
        ready.wait(SECONDS)
        came = [post(wallet, a_withdrawal(1, f"w{number}")) for number in range(60)]
        stop.set()
        for one in storm:
            one.result(SECONDS)
    assert came == ["posted"] * 60
    assert len(paid) >= 60
    assert (in_wallet(wallet), wallet.proven()) == (1_000 + len(paid) - 60, True)


def test_two_instances_contend_and_nobody_hears_insufficient_funds(wallet: Bookkeeping, other: Bookkeeping) -> None:
    """Their writers meet at the guard: posted, or told to come again, and money is conserved."""
    post(other, a_withdrawal(1, "known"))

    def one(number: int) -> str:
        name = f"w{number}"
        for _ in range(20):
            if (came := post((wallet, other)[number % 2], a_withdrawal(1, name))) != "retry":
                return came
        return "retry"

    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(one, range(160)))
    assert set(came) <= {"posted", "replayed"}
    assert (in_wallet(wallet), wallet.proven()) == (1_000 - 161, True)


def test_a_queue_beside_a_freeze_posts_nothing_after_its_answer(wallet: Bookkeeping, other: Bookkeeping) -> None:
    """The writer's remembered totals are retired, and everyone hears that the account is frozen."""
    answered = Event()

    def one(number: int) -> str:
        if number == 60:
            other.controls.run(a_call("freeze"), Control.FREEZE, WALLET.code)
            answered.set()
        began_after = answered.is_set()
        came = post(wallet, a_withdrawal(1, f"w{number}"))
        return f"late {came}" if began_after else came

    with ThreadPoolExecutor(8) as pool:
        came = list(pool.map(one, range(160)))
    assert "posted" in came
    assert set(came) - {"posted", "replayed", "account_frozen"} == {"late account_frozen"}
    assert wallet.proven()
