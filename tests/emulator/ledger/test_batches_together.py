"""Independent batches that wait at the same time: one commit for all, each answered truly, none for another's fault."""

import itertools
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn

import grpc
import pytest

from shared import counters
from shared.calls import Done
from shared.faults import Refused, Retryable
from shared.gcp.rpc import Method, RpcFailed
from shared.ledger.entry_data import EntryData
from shared.ledger.model import JournalEntry, Line, credit, debit
from shared.ledger.use_cases.batches import BatchResult, Mode
from shared.ledger.use_cases.together import APART_SECONDS, Together
from shared.ledger.use_cases.writer import Writer
from shared.ports import Query
from tests.builders import ACME, TODAY, a_call, a_sale, entry_id, euros
from tests.emulator.ledger.asked import Killed, killed, killed_after, passes
from tests.emulator.ledger.batching import (
    WALLET,
    a_batch,
    a_withdrawal,
    batches,
    in_wallet,
    journal,
    outcomes,
    post,
    sales,
)
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.crowds import SECONDS, Crowd, Gate
from tests.emulator.lines import Commit, Switch, held, lost, unsent


@dataclass(frozen=True)
class Asked:
    """A batch that is asked for."""

    key: str
    entries: list[JournalEntry]
    request_hash: str = "hash-1"


Came = list[str] | str
"""What became of each entry, or of the batch."""


def ask(kept: Bookkeeping, asked: Asked) -> Came:
    """Post an independent batch, and say what came of it."""
    call, batch = a_batch(Mode.INDEPENDENT, asked.entries, asked.key)
    try:
        done = batches(kept).post(replace(call, request_hash=asked.request_hash), batch)
    except Refused as refusal:
        return refusal.code
    except Retryable:
        return "retry"
    return ["replayed"] * len(asked.entries) if done.replayed else outcomes(done)


@dataclass
class Queue:
    """Batches that wait behind one whose commit is held at a gate."""

    kept: Bookkeeping
    crowd: Crowd

    def behind(self, asked: list[Asked]) -> tuple[Future[Came], list[Future[Came]]]:
        """The leader's answer and those of the batches that wait until its commit is there."""
        leads = partial(ask, self.kept, Asked("leader", sales(2, start=7_000)))
        return self.crowd.queued(Gate(passes), leads, [partial(ask, self.kept, one) for one in asked])

    def came(self, *asked: Asked) -> list[Came]:
        """What became of those that waited."""
        return [one.result(SECONDS) for one in self.behind(list(asked))[1]]


@pytest.fixture
def queue(crowd: Crowd) -> Queue:
    """A queue at an instance that knows every total of the wallet, the bank and the sales."""
    for number in range(40):
        post(crowd.wallet, Mode.INDEPENDENT, sales(2, start=1_000 + 10 * number), key=f"warm-{number}")
    return Queue(crowd.wallet, crowd)


def three(size: int = 5) -> list[Asked]:
    """Three batches of different sales."""
    return [Asked(f"b{one}", sales(size, start=100 * one)) for one in range(3)]


def test_batches_that_wait_share_the_next_commit_and_read_nothing(queue: Queue) -> None:
    """Three behind a leader are one commit, and each has its record and its audit record."""
    records = kept_records(queue.kept)
    before = len(queue.kept.line.paths)
    leader, followers = queue.behind(three())
    assert [one.result(SECONDS) for one in (leader, *followers)] == [["posted"] * 2, *[["posted"] * 5] * 3]
    assert queue.kept.line.paths[before:] == ["Commit"] * 2
    assert kept_records(queue.kept) == [count + 4 for count in records]
    assert queue.kept.proven()


def kept_records(kept: Bookkeeping) -> list[int]:
    """How many records of batches there are, and how many audit records of anything."""
    return [kept.store.aggregate(Query(name, ACME))["count"] for name in ("batches", "audit")]


def test_however_many_wait_what_fills_no_commit_is_sent_as_one(queue: Queue) -> None:
    """Ten behind a leader: of what a second commit beside the first would write again."""
    before = len(queue.kept.line.paths)
    assert queue.came(*[Asked(f"b{one}", sales(3, start=100 * one)) for one in range(10)]) == [["posted"] * 3] * 10
    assert queue.kept.line.paths[before:] == ["Commit"] * 2


def test_sums_of_batches_that_share_a_commit_are_merged(queue: Queue) -> None:
    """Three batches of fifty on two accounts write two totals, not six."""
    spent: list[counters.Operations] = []

    def counted(asked: Asked) -> Came:
        spent.append(counters.begin())
        return ask(queue.kept, asked)

    leads = partial(ask, queue.kept, Asked("leader", sales(2, start=7_000)))
    _, followers = queue.crowd.queued(Gate(passes), leads, [partial(counted, one) for one in three(50)])
    assert [one.result(SECONDS) for one in followers] == [["posted"] * 50] * 3
    assert sum(one.writes for one in spent) == 3 * (50 + 2) + 2


@pytest.mark.parametrize("bad", range(3))
def test_a_key_used_with_another_request_is_refused_and_takes_no_batch_along(queue: Queue, bad: int) -> None:
    """Wherever it stands; of its entries nothing is posted."""
    asked = three()
    asked[bad] = replace(asked[bad], request_hash="hash-2")
    ask(queue.kept, Asked(asked[bad].key, []))
    entries = journal(queue.kept)
    came = queue.came(*asked)
    assert came == ["idempotency_key_reused" if one == bad else ["posted"] * 5 for one in range(3)]
    assert journal(queue.kept) == entries + 2 + 10
    assert queue.kept.proven()


def test_a_key_used_with_another_request_alone_costs_one_commit_and_one_look(queue: Queue) -> None:
    """Nobody waits with it, so nobody is looked for twice."""
    before = len(queue.kept.line.paths)
    assert ask(queue.kept, Asked("warm-3", sales(2), request_hash="hash-2")) == "idempotency_key_reused"
    assert queue.kept.line.paths[before:] == ["Commit", "BatchGetDocuments"]


def test_the_same_batch_twice_in_the_queue_is_posted_once(queue: Queue) -> None:
    """The second waits for another commit and finds it; the others share theirs."""
    before, asked = len(queue.kept.line.paths), Asked("same", sales(5))
    first, second, last = queue.came(asked, asked, Asked("else", sales(2, start=50)))
    assert (first, second, last) == (["posted"] * 5, ["replayed"] * 5, ["posted"] * 2)
    assert queue.kept.line.paths[before:] == ["Commit"] * 3 + ["BatchGetDocuments"]
    assert queue.kept.proven()


def test_an_entry_that_two_waiting_batches_name_is_posted_once(queue: Queue) -> None:
    """An entry's key is its own, whatever batch brings it: the second finds it and posts the rest."""
    entries = journal(queue.kept)
    came = queue.came(Asked("one", sales(3)), Asked("two", sales(5)))
    assert came == [["posted"] * 3, ["posted"] * 5]
    assert journal(queue.kept) == entries + 2 + 5
    assert queue.kept.proven()


@pytest.mark.parametrize("bad", range(3))
def test_a_bad_entry_of_one_batch_fails_alone(queue: Queue, bad: int) -> None:
    """More than the wallet holds, in the middle of any of them."""
    asked = three()
    asked[bad].entries[2] = a_withdrawal(5_000, "too-much")
    came = queue.came(*asked)
    expected = ["posted"] * 2 + ["insufficient_funds"] + ["posted"] * 2
    assert came == [expected if one == bad else ["posted"] * 5 for one in range(3)]
    assert (in_wallet(queue.kept), queue.kept.proven()) == (1_000, True)


def test_batches_that_share_a_commit_never_overdraw_together(queue: Queue) -> None:
    """Three that take 400 each from 1,000: two find enough."""
    came = queue.came(*[Asked(f"w{one}", [a_withdrawal(400, f"w{one}")]) for one in range(3)])
    assert sorted(map(str, came)) == ["['insufficient_funds']", "['posted']", "['posted']"]
    assert (in_wallet(queue.kept), queue.kept.proven()) == (200, True)


def test_a_batch_of_which_nothing_could_be_built_is_answered_among_others(queue: Queue) -> None:
    """It brings its record and no entry."""
    assert queue.came(Asked("one", sales(3)), Asked("empty", []), Asked("two", sales(2, start=50))) == [
        ["posted"] * 3,
        [],
        ["posted"] * 2,
    ]
    assert queue.kept.proven()


@pytest.mark.parametrize(("fault", "told"), [(lost, "replayed"), (unsent, "posted")])
def test_a_shared_commit_without_an_answer_leaves_every_batch_a_true_one(
    queue: Queue, fault: Switch, told: str
) -> None:
    """Whether it landed or not, each entry is posted once and told so."""
    entries = journal(queue.kept)
    queue.kept.line.commits = [fault]
    assert queue.came(*three()) == [[told] * 5] * 3
    assert journal(queue.kept) == entries + 2 + 15
    assert queue.kept.proven()


def test_a_shared_commit_that_lands_late_lands_on_nothing(queue: Queue) -> None:
    """The records and half of the entries are there by then."""
    late: list[Commit] = []
    queue.kept.line.commits = [held(late, lambda: None)]
    assert queue.came(*three()) == [["posted"] * 5] * 3
    with pytest.raises(RpcFailed):
        late[0]()
    assert queue.kept.proven()


@pytest.mark.parametrize(("death", "landed"), [(killed, False), (killed_after, True)])
def test_a_leader_that_dies_leaves_the_batches_it_took_to_be_asked_again(
    queue: Queue, death: Switch, *, landed: bool
) -> None:
    """Asking again finds or posts them; the lane goes on."""
    queue.kept.line.commits = [death]
    leader, followers = queue.behind(three())
    assert leader.result(SECONDS) == ["posted"] * 2
    came = [one.exception(SECONDS) or one.result(SECONDS) for one in followers]
    assert sum(isinstance(one, Killed) for one in came) == 1
    assert came.count("retry") == 2
    again = [ask(queue.kept, one) for one in three()]
    assert again == [["replayed" if landed else "posted"] * 5] * 3
    assert queue.kept.books.writer.waiting == 0
    assert queue.kept.proven()


def test_what_the_store_cannot_take_at_once_goes_batch_by_batch(queue: Queue) -> None:
    """A commit that is refused as too large is none of theirs: each by itself is small enough."""

    def too_large(_: Commit) -> NoReturn:
        raise RpcFailed(Method("/Commit", None, None), grpc.StatusCode.INVALID_ARGUMENT, "too large")

    before = len(queue.kept.line.paths)
    queue.kept.line.commits = [too_large]
    assert queue.came(*three()) == [["posted"] * 5] * 3
    sent = Counter(queue.kept.line.paths[before:])
    assert sent == {"Commit": 2 + 3, "BatchGetDocuments": 2 * 3}, "each looks for itself, then at what it rests on"
    assert queue.kept.proven()


def test_two_batches_of_long_memos_find_their_way(queue: Queue) -> None:
    """Together more than 4 MiB, which the emulator does not take; each alone is less."""
    data = EntryData(memo=b"x" * 6_000)
    asked = [
        Asked(key, [replace(entry, data=data) for entry in sales(400, start=start)])
        for key, start in (("one", 0), ("two", 500))
    ]
    before = len(queue.kept.line.paths)
    assert queue.came(*asked) == [["posted"] * 400] * 2
    assert queue.kept.line.paths[before:][:3] == ["Commit", "Commit", "BatchGetDocuments"], "one took both"
    assert queue.kept.proven()


def contended(kept: Bookkeeping, account: str) -> None:
    """From now on somebody else is always ahead at the account's guard."""
    send_on = kept.line.send_on

    def send(method: Method, request: Any, timeout_seconds: float) -> Any:
        if method.path.endswith("/Commit") and any(f"guards/{account}" in one.update.name for one in request.writes):
            raise RpcFailed(method, grpc.StatusCode.ABORTED, "contention")
        return send_on(method, request, timeout_seconds)

    kept.line.send_on = send  # type: ignore[method-assign]


def test_contention_of_one_batch_takes_no_time_from_another(queue: Queue) -> None:
    """Its halves fail until its time is over, thirty seconds a look at the clock; the others are posted at once."""
    together = queue.kept.books.together
    ticks = itertools.count(step=APART_SECONDS)
    queue.kept.books.writer = Writer(Together(queue.kept.desk, queue.kept.books.memory, lambda: next(ticks)))
    contended(queue.kept, WALLET.code)
    crowded = Asked("crowded", [a_withdrawal(1, f"w{one}") for one in range(4)])
    assert queue.came(crowded, *three()) == [["retry"] * 4, *[["posted"] * 5] * 3]
    assert in_wallet(queue.kept) == 1_000
    queue.kept.books.writer = Writer(together)
    assert queue.kept.proven()


def test_a_batch_that_goes_on_in_parts_holds_up_no_other(queue: Queue) -> None:
    """It has left the lane by then: another is posted while it still looks for its entries."""
    gate = Gate(passes)
    queue.kept.line.commits = [unsent, gate]
    failed = queue.crowd.pool.submit(ask, queue.kept, Asked("failed", sales(4)))
    assert gate.reached.wait(SECONDS)
    assert ask(queue.kept, Asked("another", sales(4, start=50))) == ["posted"] * 4
    assert not failed.done()
    gate.open.set()
    assert failed.result(SECONDS) == ["posted"] * 4
    assert queue.kept.proven()


def test_what_fills_a_commit_begins_beside_the_first_and_no_commit_holds_more(queue: Queue) -> None:
    """Two of 1,000 lines while the first commit is on its way; of three that come then two go together, one after."""
    lines = (*(debit("assets:bank", euros(1)),) * 100, *(credit("revenue:sales", euros(1)),) * 100)
    asked = [Asked(f"b{n}", [large(f"b{n}-{one}", lines) for one in range(5)]) for n in range(5)]
    first, second = Gate(passes), Gate(passes)
    queue.kept.line.commits = [first, second]
    before = queue.kept.line.paths.count("Commit")
    leader = queue.crowd.pool.submit(ask, queue.kept, Asked("leader", sales(2, start=7_000)))
    assert first.reached.wait(SECONDS)
    beside = [queue.crowd.pool.submit(ask, queue.kept, one) for one in asked[:2]]
    assert second.reached.wait(SECONDS)
    later = [queue.crowd.pool.submit(ask, queue.kept, one) for one in asked[2:]]
    queue.crowd.all_wait(3)
    assert queue.kept.line.paths.count("Commit") - before == 2
    second.open.set()
    first.open.set()
    assert [one.result(SECONDS) for one in (leader, *beside, *later)] == [["posted"] * 2, *[["posted"] * 5] * 5]
    assert queue.kept.line.paths.count("Commit") - before == 2 + 2
    assert queue.kept.proven()


def large(name: str, lines: tuple[Line, ...]) -> JournalEntry:
    """An entry of as many lines as it may have."""
    return JournalEntry(entry_id(name), lines, TODAY, name, "hash-1")


def test_a_single_posting_does_not_wait_for_batches(queue: Queue) -> None:
    """It has a lane of its own, and a linked batch none at all."""
    gate = Gate(passes)
    queue.kept.line.commits = [gate]
    leader = queue.crowd.pool.submit(ask, queue.kept, Asked("leader", sales(2)))
    assert gate.reached.wait(SECONDS)
    queue.kept.books.post(a_call("single"), a_sale(1, name="single"))
    assert len(linked(queue.kept).answer.results) == 2
    assert not leader.done()
    gate.open.set()
    assert leader.result(SECONDS) == ["posted"] * 2


def linked(kept: Bookkeeping) -> Done[BatchResult]:
    """A linked batch of two."""
    return post(kept, Mode.LINKED, sales(2, start=50), key="linked")


def test_sixteen_callers_of_two_instances_post_every_batch_once(queue: Queue, other: Bookkeeping) -> None:
    """Each batch is asked of both at the same time: every entry stands once, and each answer says so."""
    asked = [Asked(f"b{one}", sales(8, start=10_000 + 100 * one)) for one in range(40)]
    before = journal(queue.kept)

    def until_done(number: int) -> Came:
        for _ in range(20):
            came = ask((queue.kept, other)[number % 2], asked[number // 2])
            if came != "retry" and "retry" not in came:
                return came
        return "retry"

    with ThreadPoolExecutor(16) as pool:
        came = list(pool.map(until_done, range(80)))
    assert all(set(one) <= {"posted", "replayed"} for one in came)
    assert journal(queue.kept) == before + 320
    assert queue.kept.proven()
