"""Balance monitors: each crossing that is seen is announced once, whoever looks, however often, and whatever fails."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from shared.events import Announcement
from shared.gcp.rpc import RpcFailed
from shared.identity import TenantId
from shared.ledger.model import Account, AccountType
from shared.ledger.records import create_account
from shared.ledger.refusals import CurrencyNotKept, MonitorEnded, TooManyMonitors, UnknownAccount
from shared.ledger.rules.monitors import Direction, Measure, Monitor, MonitorState, Watch, watched_ref
from shared.ledger.use_cases.monitors import CROSSED, DOOR, Monitors
from shared.limits import MONITORS, OUTBOX_AGE_SECONDS
from shared.money import Money
from shared.ports import Decision, Put
from shared.settings import Settings
from tests.builders import ACME, NOON, a_call, euros
from tests.emulator.ledger.conftest import Bookkeeping, bookkeeping
from tests.emulator.ledger.held import WALLET, reserved, with_money
from tests.emulator.ledger.mistakes import Killed, dies, passes, pays, post, spends
from tests.emulator.lines import Commit, first, held, lost, lost_then


def monitors_of(books: Bookkeeping) -> Monitors:
    """The monitors that an instance keeps."""
    return Monitors(books.desk, books.sent)


def below(amount: int, measure: Measure = Measure.BALANCE) -> Watch:
    """The wallet gone below so many cents."""
    return Watch(WALLET.code, measure, Direction.BELOW, euros(amount), "LOW-1")


def watched(books: Bookkeeping, watch: Watch, key: str = "watch") -> Monitor:
    """Begin to watch."""
    return monitors_of(books).watch(a_call(key), watch).answer


def look(books: Bookkeeping, key: str) -> int:
    """How many crossings a look announces."""
    return monitors_of(books).look(a_call(key)).answer.crossed


def only(books: Bookkeeping) -> Monitor:
    """The one monitor there is, as it stands."""
    (monitor,) = monitors_of(books).page(ACME, 10, None).items
    return monitor


def heard(*books: Bookkeeping) -> list[Announcement]:
    """What was announced, by all instances."""
    return [one for each in books for one in each.sent.announcements]


def at_sixty(books: Bookkeeping, amount: int = 50) -> None:
    """A wallet of 60 that is watched, and was seen, above an amount."""
    with_money(books, 60)
    watched(books, below(amount))
    assert look(books, "first") == 0


def test_a_crossing_is_announced_once(kept: Bookkeeping) -> None:
    """Armed above, crossed below, and no word more however often it is looked at."""
    at_sixty(kept)
    post(kept, "out", spends("out", 11))
    assert [look(kept, f"look-{number}") for number in range(3)] == [1, 0, 0]
    (told,) = heard(kept)
    monitor = only(kept)
    assert (told.topic, told.type, told.subject, told.subject_version) == ("ledger", CROSSED, monitor.id, 1)
    seen = {name: told.data[name] for name in ("account", "measure", "direction", "amount", "currency", "figure")}
    assert seen == {
        "account": WALLET.code,
        "measure": "balance",
        "direction": "below",
        "amount": 50,
        "currency": "EUR",
        "figure": 49,
    }
    assert (monitor.state, monitor.crossings) == (MonitorState.CROSSED, 1)


def test_the_amount_itself_is_not_beyond(kept: Bookkeeping) -> None:
    """Below 50 is 49, above 50 is 51."""
    with_money(kept, 50)
    watched(kept, below(50))
    watched(kept, replace(below(50), direction=Direction.ABOVE), "above")
    assert look(kept, "level") == 0
    post(kept, "in", pays("in", 1))
    assert look(kept, "above") == 1
    assert heard(kept)[0].data["direction"] == "above"


def test_it_arms_again_when_the_balance_is_back(kept: Bookkeeping) -> None:
    """Flapping: every crossing that was seen is told with a number of its own; what nobody saw is not."""
    at_sixty(kept)
    for number in (1, 2):
        post(kept, f"out-{number}", spends(f"out-{number}", 20))
        assert look(kept, f"crossed-{number}") == 1
        post(kept, f"in-{number}", pays(f"in-{number}", 20))
        assert look(kept, f"back-{number}") == 0
    post(kept, "out-3", spends("out-3", 20))
    post(kept, "in-3", pays("in-3", 20))
    assert look(kept, "unseen") == 0
    assert [told.subject_version for told in heard(kept)] == [1, 2]


def test_a_task_that_comes_twice_announces_once_and_later_what_is_new(kept: Bookkeeping) -> None:
    """The same task again finds it announced; delivered once more after another crossing, it announces that one."""
    at_sixty(kept)
    post(kept, "out", spends("out", 20))
    assert [look(kept, "task"), look(kept, "task")] == [1, 0]
    post(kept, "in", pays("in", 20))
    look(kept, "back")
    post(kept, "again", spends("again", 20))
    assert look(kept, "task") == 1
    assert [told.subject_version for told in heard(kept)] == [1, 2]


def test_two_that_look_at_once_announce_once(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Another one writes the crossing between this one's decision and its commit."""
    at_sixty(kept)
    post(kept, "out", spends("out", 20))
    kept.line.commits = [first(lambda: look(other, "theirs"))]
    assert look(kept, "ours") == 0
    assert len(heard(kept, other)) == 1


def test_many_that_look_at_once_announce_once(settings: Settings, kept: Bookkeeping) -> None:
    """Four instances, six crossings and ways back: one announcement each."""
    at_sixty(kept)
    four = [kept, *(bookkeeping(settings) for _ in range(3))]
    ready = Barrier(len(four))

    def looks(number: int, turn: int) -> int:
        ready.wait(60)
        return look(four[number], f"look-{turn}-{number}")

    with ThreadPoolExecutor(len(four)) as pool:
        for turn in range(6):
            post(kept, f"out-{turn}", spends(f"out-{turn}", 20))
            assert sum(pool.map(lambda number, turn=turn: looks(number, turn), range(4))) == 1
            post(kept, f"in-{turn}", pays(f"in-{turn}", 20))
            look(kept, f"back-{turn}")
    assert sorted(told.subject_version for told in heard(*four)) == [1, 2, 3, 4, 5, 6]
    for instance in four[1:]:
        instance.line.close()


def test_an_older_look_changes_nothing_after_a_newer_one(kept: Bookkeeping, other: Bookkeeping) -> None:
    """What it saw below is back by the time that another has seen: nothing is announced, the newer look stays."""
    at_sixty(kept)
    post(kept, "out", spends("out", 20))

    def back() -> None:
        post(other, "in", pays("in", 20))
        look(other, "newer")

    kept.line.commits = [first(back)]
    assert look(kept, "older") == 0
    monitor = only(kept)
    assert monitor.seen is not None
    assert (monitor.state, monitor.crossings, monitor.seen.figure) == (MonitorState.ARMED, 0, 60)
    assert heard(kept, other) == []


def test_a_lost_answer_announces_once(kept: Bookkeeping) -> None:
    """The commit landed and its answer did not: the same look sends what it wrote."""
    at_sixty(kept)
    post(kept, "out", spends("out", 20))
    kept.line.commits = [lost]
    assert look(kept, "task") == 1
    assert look(kept, "next") == 0
    assert len(heard(kept)) == 1


def test_a_lost_answer_to_a_look_that_saw_no_crossing_announces_nothing(kept: Bookkeeping) -> None:
    """The earlier crossing waited in the outbox: it was told once more, under its id, with another figure."""
    at_sixty(kept)
    post(kept, "out", spends("out", 20))
    kept.line.commits = [lost_then(dies)]
    with pytest.raises(Killed):
        look(kept, "task")
    post(kept, "more", spends("more", 5))
    kept.line.commits = [lost]
    assert look(kept, "next") == 0
    assert heard(kept) == []
    kept.desk.outbox.sweep(NOON + timedelta(seconds=OUTBOX_AGE_SECONDS + 1))
    assert [told.data["figure"] for told in heard(kept)] == [40]


def test_killed_after_the_commit_the_sweep_announces_once(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Nobody was told yet: the row is there, the next look has nothing to say, and the sweep sends it."""
    at_sixty(kept)
    post(kept, "out", spends("out", 20))
    kept.line.commits = [lost_then(dies)]
    with pytest.raises(Killed):
        look(kept, "task")
    assert look(other, "task") == 0
    assert heard(kept, other) == []
    assert other.desk.outbox.sweep(NOON + timedelta(seconds=OUTBOX_AGE_SECONDS + 1)) == 1
    assert [told.subject_version for told in heard(other)] == [1]


def test_killed_between_two_monitors_the_next_look_announces_the_rest(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The first crossing is written, the second not: each is told once in the end."""
    at_sixty(kept)
    watched(kept, below(55), "second")
    post(kept, "out", spends("out", 20))
    kept.line.commits = [passes, first(dies)]
    with pytest.raises(Killed):
        look(kept, "task")
    assert look(other, "task") == 1
    other.desk.outbox.sweep(NOON + timedelta(seconds=OUTBOX_AGE_SECONDS + 1))
    told = heard(kept, other)
    assert len({one.subject for one in told}) == len({one.id for one in told}) == 2


def test_a_late_crossing_finds_another_look_written(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A commit that was held up when its look died lands after the next look: too late."""
    at_sixty(kept)
    post(kept, "out", spends("out", 20))
    late: list[Commit] = []
    kept.line.commits = [held(late, then=dies)]
    with pytest.raises(Killed):
        look(kept, "task")
    assert look(other, "next") == 1
    with pytest.raises(RpcFailed):
        late[0]()
    other.desk.outbox.sweep(NOON + timedelta(seconds=OUTBOX_AGE_SECONDS + 1))
    assert {told.id for told in heard(kept, other)} == {told.id for told in heard(other)}
    assert only(kept).crossings == 1


def test_what_is_held_is_not_available(kept: Bookkeeping) -> None:
    """A hold moves what is available and leaves the balance."""
    at_sixty(kept)
    watched(kept, below(50, Measure.AVAILABLE), "available")
    assert look(kept, "before") == 0
    reserved(kept, 20)
    assert look(kept, "after") == 1
    (told,) = heard(kept)
    assert (told.data["measure"], told.data["figure"]) == ("available", 40)


def test_a_monitor_that_ended_is_silent(kept: Bookkeeping) -> None:
    """Ended once and for ever; it stays on the list."""
    at_sixty(kept)
    monitor = only(kept)
    monitors_of(kept).end(a_call("end", once=True), monitor.id)
    assert monitors_of(kept).end(a_call("end", once=True), monitor.id).replayed
    with pytest.raises(MonitorEnded):
        monitors_of(kept).end(a_call("end again", once=True), monitor.id)
    post(kept, "out", spends("out", 20))
    assert look(kept, "late") == 0
    assert only(kept).state is MonitorState.ENDED


def test_ended_between_a_look_and_its_commit_it_says_nothing(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Whoever ended it hears nothing more."""
    at_sixty(kept)
    monitor = only(kept)
    post(kept, "out", spends("out", 20))
    kept.line.commits = [first(lambda: monitors_of(other).end(a_call("end"), monitor.id))]
    assert look(kept, "task") == 0
    assert (only(kept).state, heard(kept, other)) == (MonitorState.ENDED, [])


def test_the_same_monitor_asked_for_twice_is_made_once(kept: Bookkeeping) -> None:
    """Its answer was lost: it is there, and counted once."""
    with_money(kept, 60)
    kept.line.commits = [lost]
    assert watched(kept, below(50)) == watched(kept, below(50)) == only(kept)
    ref = watched_ref(ACME)
    document = kept.store.get([ref])[ref]
    assert document is not None
    assert document["watched"] == 1


def test_there_is_a_limit_to_monitors(kept: Bookkeeping) -> None:
    """Full is full, until one ends."""
    with_money(kept, 60)
    monitor = watched(kept, below(50))
    full = Decision(None, (Put(watched_ref(ACME), {"schema": 1, "watched": MONITORS}),))
    kept.store.transact((), lambda _: full)
    with pytest.raises(TooManyMonitors):
        watched(kept, below(40), "one too many")
    monitors_of(kept).end(a_call("end"), monitor.id)
    assert watched(kept, below(40), "instead").state is MonitorState.ARMED


def test_what_the_chart_does_not_know_is_not_watched(kept: Bookkeeping) -> None:
    """No such account, or not in that currency."""
    with pytest.raises(UnknownAccount):
        watched(kept, replace(below(1), account="assets:none"))
    pounds = Account("assets:pounds", AccountType.ASSET, "Pounds", currencies=("GBP",))
    kept.store.transact((), lambda _: Decision(None, create_account(ACME, pounds)))
    with pytest.raises(CurrencyNotKept):
        watched(kept, replace(below(1), account=pounds.code))
    assert watched(kept, replace(below(1), account=pounds.code, amount=Money(1, "GBP"))).crossings == 0


def test_a_firing_asks_for_one_look_a_tenant(kept: Bookkeeping) -> None:
    """The same firing again asks for the same tasks, which the queue knows."""
    for _ in range(2):
        monitors_of(kept).start([ACME, TenantId("rival")], NOON, "00-0-0-00")
    asked = [(command.tenant, command.door, command.body) for command in kept.sent.commands]
    assert asked[:2] == asked[2:] == [(tenant, DOOR, {"minute": "2026-11-16T12:00"}) for tenant in (ACME, "rival")]
    assert len({command.id for command in kept.sent.commands}) == 2
