"""What a transaction promises when commits fail, are lost, come late or fight."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from shared import counters
from shared.faults import Conflict, Retryable
from shared.gcp import firestore_methods as methods
from shared.gcp.firestore import LOCKED_ATTEMPTS, FirestoreStore
from shared.gcp.rpc import Method, RpcFailed
from shared.identity import TenantId
from shared.limits import COMMIT_ATTEMPTS, READ_ROUNDS
from shared.ports import Contradiction, Create, Decision, Increment, Put, Ref, Update, View, tenant_ref
from shared.settings import Settings
from tests.emulator.lines import Line, lost, lost_as, unsent

ACME = TenantId("acme")
THING = tenant_ref(ACME, "things", "one")
OTHER = tenant_ref(ACME, "things", "other")


@pytest.fixture
def line(settings: Settings) -> Line:
    """A line to an empty database."""
    return Line(settings)


@pytest.fixture
def shaky(settings: Settings, line: Line) -> FirestoreStore:
    """A store at the end of that line."""
    return FirestoreStore(settings, settings.database, rpc=line)


def create_once(ref: Ref = THING) -> Callable[[View], Decision[str]]:
    """Create a document, or find that it was: what every use case does under a cause."""

    def decide(view: View) -> Decision[str]:
        if view.failures and view[ref] is not None:
            return Decision("found")
        return Decision("created", (Create(ref, {"n": 1}),))

    return decide


# --- reading and asking for more ---------------------------------------------------------


def test_with_nothing_to_read_a_transaction_is_one_call(shaky: FirestoreStore, line: Line) -> None:
    """The fast path costs one commit and no read."""
    assert shaky.transact((), create_once()) == "created"
    assert line.paths == ["Commit"]


def test_without_writes_nothing_is_committed(shaky: FirestoreStore, line: Line) -> None:
    """A decision that only answers costs its read."""
    assert shaky.transact([THING], lambda view: Decision(view[THING])) is None
    assert line.paths == ["BatchGetDocuments"]


def test_a_decision_may_ask_for_what_it_needs(shaky: FirestoreStore, line: Line) -> None:
    """Each round of asking is one read of what was missing, at the instant of the first."""
    shaky.transact((), lambda _: Decision(None, (Create(THING, {"next": OTHER.path}), Create(OTHER, {"n": 2}))))
    line.paths.clear()

    def decide(view: View) -> Decision[object]:
        thing = view[THING]
        assert thing is not None
        shaky.transact((), lambda _: Decision(None, (Increment(OTHER, {("n",): 1}, must_exist=True),)))
        other = view[Ref(str(thing["next"]))]
        assert other is not None
        return Decision(other["n"])

    assert shaky.transact((), decide) == 2
    assert line.paths == ["BatchGetDocuments", "Commit", "BatchGetDocuments", "Commit"]


def test_asking_without_end_is_a_bug(store: FirestoreStore) -> None:
    """A decision that always wants one more document is stopped."""
    asked = []

    def decide(view: View) -> Decision[None]:
        asked.append(1)
        view.need([tenant_ref(ACME, "things", str(len(asked)))])
        return Decision(None)

    with pytest.raises(RuntimeError):
        store.transact((), decide)
    assert len(asked) == READ_ROUNDS


def test_documents_that_contradict_each_other_are_read_again(shaky: FirestoreStore, line: Line) -> None:
    """One commit wrote both, and a read told of one alone: all is read again, at a new instant."""
    named = tenant_ref(ACME, "others", "one")
    line.torn = [("things", shaky.read_time())]
    shaky.transact((), lambda _: Decision(None, (Create(THING, {"next": named.path}), Create(named, {"n": 2}))))
    line.paths.clear()

    def decide(view: View) -> Decision[object]:
        return Decision(view.named(Ref(str(view.named(THING)["next"])))["n"])

    assert shaky.transact((THING, named), decide) == 2
    assert line.paths == ["BatchGetDocuments"] * 2


def test_documents_that_always_contradict_each_other_are_a_bug(shaky: FirestoreStore, line: Line) -> None:
    """What is gone stays gone: the decision fails with its name after a bounded number of reads."""
    with pytest.raises(Contradiction, match=THING.path):
        shaky.transact((), lambda view: Decision(view.named(THING), (Create(OTHER, {"n": 2}),)))
    assert line.paths == ["BatchGetDocuments"] * (READ_ROUNDS - 1)
    assert shaky.get([OTHER])[OTHER] is None


def test_a_refusal_writes_nothing(store: FirestoreStore) -> None:
    """What a decision refuses leaves the transaction as it is."""

    def decide(_: View) -> Decision[None]:
        message = "no"
        raise Conflict(message)

    with pytest.raises(Conflict):
        store.transact([THING], decide)


# --- lost and late -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    ],
)
def test_a_commit_whose_answer_was_lost_is_found(shaky: FirestoreStore, line: Line, status: grpc.StatusCode) -> None:
    """After silence the created document is read, and found; it is not written twice."""
    line.commits = [lost_as(status)]
    assert shaky.transact((), create_once()) == "found"
    assert line.paths == ["Commit", "BatchGetDocuments"]


def test_a_commit_that_never_arrived_is_made_again(shaky: FirestoreStore, line: Line) -> None:
    """After silence nothing is found, so it is decided and written again."""
    line.commits = [unsent]
    assert shaky.transact((), create_once()) == "created"


def test_a_commit_that_comes_late_excludes_the_second(shaky: FirestoreStore, line: Line) -> None:
    """The first commit lands after it was looked for in vain: the second fails on it and finds it."""
    late: list[Callable[[], Any]] = []

    def delay(commit: Callable[[], Any]) -> Any:
        late.append(commit)
        return unsent(commit)

    def after_the_late_one(commit: Callable[[], Any]) -> Any:
        late[0]()
        return commit()

    line.commits = [delay, after_the_late_one]
    assert shaky.transact((), create_once()) == "found"
    assert line.paths == ["Commit", "BatchGetDocuments", "Commit", "BatchGetDocuments"]


def test_everything_read_is_read_again_after_a_failure(shaky: FirestoreStore, line: Line) -> None:
    """The second decision sees what changed, and the trace of the first, in one read."""
    shaky.transact((), lambda _: Decision(None, (Create(OTHER, {"n": 1}),)))
    seen = []

    def decide(view: View) -> Decision[None]:
        other = view[OTHER]
        assert other is not None
        seen.append((view.failures, view.has_read(THING), other["n"]))
        if not view.failures:
            shaky.transact((), lambda _: Decision(None, (Put(OTHER, {"n": 2}),)))
        return Decision(None, (Create(THING, {}),))

    line.paths.clear()
    shaky.transact([OTHER], decide)
    assert seen == [(0, False, 1), (1, True, 2)]
    assert line.paths == ["BatchGetDocuments", "Commit", "Commit", "BatchGetDocuments", "Commit"]


def test_silence_that_lasts_is_retryable(shaky: FirestoreStore, line: Line) -> None:
    """After so many commits without an answer nobody knows, and says so."""
    line.commits = [unsent] * COMMIT_ATTEMPTS
    with pytest.raises(Retryable):
        shaky.transact((), create_once())
    assert line.paths.count("Commit") == COMMIT_ATTEMPTS


def test_reads_are_asked_again(settings: Settings) -> None:
    """A read may happen twice, so silence on it is not the caller's concern."""

    class Stammering(Line):
        def send(self, method: Method, request: Any, timeout_seconds: float) -> Any:
            self.paths.append(method.path)
            if len(self.paths) < 3:
                raise RpcFailed(method, grpc.StatusCode.UNAVAILABLE, "what?")
            return super().send(method, request, timeout_seconds)

    assert FirestoreStore(settings, settings.database, rpc=Stammering(settings)).get([THING]) == {THING: None}


def test_a_commit_that_is_wrong_in_itself_is_a_bug(store: FirestoreStore) -> None:
    """What no try can heal is raised, not retried."""
    with pytest.raises(RpcFailed):
        store.transact((), lambda _: Decision(None, (Create(Ref("odd"), {}),)))


# --- contention --------------------------------------------------------------------------


def test_eight_rivals_lose_no_update(store: FirestoreStore) -> None:
    """Eight threads read, add and write one document: each addition counts once."""
    store.transact((), lambda _: Decision(None, (Create(THING, {"n": 0}),)))

    def add(view: View) -> Decision[None]:
        thing = view[THING]
        assert thing is not None
        return Decision(None, (Update(THING, {"n": int(str(thing["n"])) + 1}, thing.version),))

    def work(_: int) -> int:
        done = 0
        while done < 5:
            try:
                store.transact([THING], add)
            except Retryable:
                continue
            done += 1
        return done

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(work, range(8)))
    thing = store.get([THING])[THING]
    assert thing is not None
    assert thing["n"] == done == 40


def test_of_eight_creators_one_creates(store: FirestoreStore) -> None:
    """The same cause told eight times at once makes one document; seven find it."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: store.transact((), create_once()), range(8)))
    assert sorted(answers) == ["created"] + ["found"] * 7


# --- locked ------------------------------------------------------------------------------


def move(view: View) -> Decision[str]:
    """Retire a document: delete it and leave a copy, or find that it was done."""
    thing = view[THING]
    if thing is None:
        return Decision("done before")
    return Decision("moved", (Put(OTHER, thing.fields), Increment(THING, {("n",): 1}, must_exist=True)))


def test_a_locked_transaction_reads_and_writes(shaky: FirestoreStore, line: Line) -> None:
    """Begin, read, commit: three calls, and the outcome is one write of all."""
    shaky.transact((), lambda _: Decision(None, (Create(THING, {"n": 1}),)))
    line.paths.clear()
    assert shaky.transact_locked([THING], move) == "moved"
    assert line.paths == ["BeginTransaction", "BatchGetDocuments", "Commit"]
    read = shaky.get([THING, OTHER])
    assert [document and document["n"] for document in read.values()] == [2, 1]


def test_a_locked_transaction_without_writes_gives_its_locks_back(shaky: FirestoreStore, line: Line) -> None:
    """An abandoned transaction would block writers for a minute."""
    assert shaky.transact_locked([THING], move) == "done before"
    assert line.paths == ["BeginTransaction", "BatchGetDocuments", "Rollback"]


def test_a_refusal_gives_the_locks_back(shaky: FirestoreStore, line: Line) -> None:
    """Also when the decision refuses."""

    def decide(view: View) -> Decision[None]:
        message = "no"
        view.need([THING])
        raise Conflict(message)

    with pytest.raises(Conflict):
        shaky.transact_locked((), decide)
    assert line.paths == ["BeginTransaction", "BatchGetDocuments", "Rollback"]


def test_a_locked_commit_whose_answer_was_lost_is_found(shaky: FirestoreStore, line: Line) -> None:
    """Silence is met as everywhere: read again, with what was created, and decide again."""
    line.commits = [lost]
    assert shaky.transact_locked((), create_once()) == "found"
    assert line.paths[-2:] == ["BatchGetDocuments", "Rollback"]


def test_rivals_under_locks_lose_no_update(store: FirestoreStore) -> None:
    """Writers under locks wait for each other, and each addition counts once."""
    store.transact((), lambda _: Decision(None, (Create(THING, {"n": 0}),)))

    def add(view: View) -> Decision[None]:
        thing = view[THING]
        assert thing is not None
        return Decision(None, (Update(THING, {"n": int(str(thing["n"])) + 1}, thing.version),))

    def work(_: int) -> None:
        while True:
            try:
                return store.transact_locked([THING], add)
            except Retryable:
                continue

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    thing = store.get([THING])[THING]
    assert thing is not None
    assert thing["n"] == 3


class Overdue(Line):
    """A line that takes so long over some calls of a transaction that the store has ended it meanwhile."""

    def __init__(self, settings: Settings, slow: str, times: int) -> None:
        super().__init__(settings)
        self.slow, self.left = slow, times

    def send(self, method: Method, request: Any, timeout_seconds: float) -> Any:
        """End the transaction for real before the call goes out."""
        if self.left and method.path.endswith(self.slow) and request.transaction:
            self.left -= 1
            over = methods.ROLLBACK.request(database=request.database, transaction=request.transaction)
            super().send(methods.ROLLBACK, over, timeout_seconds)
        return super().send(method, request, timeout_seconds)


@pytest.mark.parametrize("slow", ["BatchGetDocuments", "Commit"])
@pytest.mark.parametrize(("times", "answer"), [(1, "created"), (LOCKED_ATTEMPTS - 1, "created"), (99, None)])
def test_a_transaction_that_expired_is_begun_again(settings: Settings, slow: str, times: int, answer: str) -> None:
    """The store calls a transaction that is over an invalid argument: no bug of ours, so it is begun anew or later."""
    line = Overdue(settings, slow, times)
    store = FirestoreStore(settings, settings.database, rpc=line)
    if answer:
        assert store.transact_locked([THING], create_once()) == answer
        assert line.paths.count("BeginTransaction") == times + 1
    else:
        with pytest.raises(Retryable):
            store.transact_locked([THING], create_once())
        assert line.paths.count("BeginTransaction") == LOCKED_ATTEMPTS
    assert (store.get([THING])[THING] is not None) == bool(answer)


def test_an_invalid_argument_outside_a_transaction_is_a_bug(settings: Settings, store: FirestoreStore) -> None:
    """No transaction was named, so none can have expired."""
    bad = Line(settings)
    bad.commits = [lost_as(grpc.StatusCode.INVALID_ARGUMENT)]
    with pytest.raises(RpcFailed):
        FirestoreStore(settings, settings.database, rpc=bad).transact((), create_once())
    assert bad.paths == ["Commit"], "nothing is tried twice"
    assert store.get([THING])[THING] is not None


# --- counting ----------------------------------------------------------------------------


def test_every_operation_is_counted(store: FirestoreStore) -> None:
    """Reads, writes, deletes and calls are those that Firestore was asked for."""
    operations = counters.begin()
    store.transact((), lambda _: Decision(None, (Create(THING, {"n": 1}), Create(OTHER, {}))))
    assert (operations.rpcs, operations.reads, operations.writes, operations.deletes) == (1, 0, 2, 0)
    operations = counters.begin()

    def decide(view: View) -> Decision[None]:
        view.need([OTHER])
        return Decision(None, (Increment(THING, {("n",): 1}, must_exist=True),))

    store.transact([THING], decide)
    assert (operations.rpcs, operations.reads, operations.writes, operations.deletes) == (3, 2, 2, 0)
