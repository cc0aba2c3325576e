"""An operator replays what was refused, stuck, or not understood when it came: it is applied once, whoever asks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.calls import Done
from shared.events import Command
from shared.faults import Refused, Retryable
from shared.identity import StoredId
from shared.ledger.rules.control import Control
from shared.payments.model import EventKind, EventState, StoredEvent
from shared.payments.partners import stripe
from shared.payments.records import INBOX, RAW, inbox_ref
from shared.payments.refusals import EventDecided, NotAnEvent, NothingToApply, PaymentNeverCame, UnknownEvent
from shared.payments.use_cases.inbox import RawEvent
from shared.ports import Query
from shared.privacy import Place, Purpose, Sealed
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.payments.accounts import CLEARING, WAITED, entries, invoice_now, payment
from tests.emulator.payments.conftest import apply, received, settle, task_of, told
from tests.unit.payments.stripe_events import body_of, paid, refunded, signed


def replay(house: Instance, key: str, name: str = "replay") -> Done[StoredEvent]:
    """An operator asks for it, under an Idempotency-Key."""
    return house.inbox.replay(a_call(name, once=True, principal="user:olga"), key)


def task_in(done: Done[StoredEvent]) -> Command:
    """The command that a replay sends."""
    (command,) = done.messages
    assert isinstance(command, Command)
    return command


def event_now(house: Instance, key: str) -> tuple[EventState, int]:
    """State of an event and how often it was replayed."""
    (event,) = [one for one in house.inbox.page(ACME, 50, None, state=None, partner=None).items if one.key == key]
    return event.state, event.replays


@pytest.fixture
def refused(house: Instance) -> Command:
    """The task of an event that the ledger refused, for the account was frozen; by now it is not."""
    invoice = house.an_invoice()
    house.controls.run(a_call("freeze"), Control.FREEZE, CLEARING)
    task = task_of(house, paid(invoice=invoice.id))
    with pytest.raises(Refused, match="frozen"):
        apply(house, task)
    house.controls.run(a_call("unfreeze"), Control.UNFREEZE, CLEARING)
    return task


def test_what_the_ledger_refused_is_applied_when_the_reason_is_gone(house: Instance, refused: Command) -> None:
    """Money that was received is not lost to a frozen account; the refusal stays in the journal."""
    done = replay(house, str(refused.body["event"]))
    assert (done.answer.state, done.answer.replays, done.answer.refused) == (EventState.RECEIVED, 1, "")
    assert apply(house, task_in(done)).answer.state is EventState.APPLIED
    assert (payment(house).received, entries(house), entries(house, "refused"), house.proven()) == (12_000, 1, 1, True)


def test_an_older_task_does_nothing_to_a_replayed_event(house: Instance, refused: Command) -> None:
    """The queue may bring it late; the replay's own task applies it."""
    done = replay(house, str(refused.body["event"]))
    assert apply(house, refused).answer.state is EventState.RECEIVED
    assert apply(house, task_in(done)).answer.state is EventState.APPLIED
    assert apply(house, refused).answer.state is EventState.APPLIED
    assert (entries(house), house.proven()) == (1, True)


def test_a_refund_whose_payment_came_after_all_is_applied(house: Instance) -> None:
    """It was refused when its time was over."""
    refund = task_of(house, refunded(amount=12_000))
    with pytest.raises(PaymentNeverCame):
        apply(house, refund, WAITED)
    settle(house, paid(), WAITED)
    task = task_in(replay(house, str(refund.body["event"])))
    assert apply(house, task, WAITED).answer.state is EventState.APPLIED
    assert (payment(house).refunded, house.proven()) == (12_000, True)


def test_an_event_whose_task_was_lost_is_set_going_again(house: Instance) -> None:
    """A queue that was purged, say."""
    lost = task_of(house, paid())
    done = replay(house, str(lost.body["event"]))
    assert apply(house, task_in(done)).answer.state is EventState.APPLIED
    assert (entries(house), house.proven()) == (1, True)


def test_asking_twice_is_one_replay(house: Instance, refused: Command) -> None:
    """The same Idempotency-Key is answered as it was, and hands the same command over."""
    key = str(refused.body["event"])
    first, again = replay(house, key), replay(house, key)
    assert (first.replayed, again.replayed, again.answer) == (False, True, first.answer)
    assert again.messages == first.messages


def test_eight_operators_at_once_apply_it_once(house: Instance, refused: Command) -> None:
    """Each under a key of their own; tasks of all come in any order."""
    key = str(refused.body["event"])
    with ThreadPoolExecutor(8) as pool:
        tasks = list(pool.map(lambda n: task_in(house.again(lambda: replay(house, key, f"r{n}"))), range(8)))
        list(pool.map(lambda task: house.again(lambda: apply(house, task)), [*tasks, refused, *tasks]))
    assert (event_now(house, key), entries(house)) == ((EventState.APPLIED, 8), 1)
    assert (payment(house).received, house.proven()) == (12_000, True)


def test_a_kind_that_an_older_version_kept_is_applied(house: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of event names has it by now."""
    invoice = house.an_invoice()
    with monkeypatch.context() as older:
        older.delitem(stripe.KINDS, "payment_intent.succeeded")
        kept = told(house, paid(invoice=invoice.id)).answer
    assert (kept.state, kept.event.kind) == (EventState.KEPT, EventKind.OTHER)
    task = task_in(replay(house, kept.key))
    assert apply(house, task).answer.state is EventState.APPLIED
    assert (invoice_now(house, invoice).paid, house.proven()) == (12_000, True)


@pytest.fixture
def quarantined(house: Instance, monkeypatch: pytest.MonkeyPatch) -> StoredEvent:
    """An event that an older version could not read."""
    with monkeypatch.context() as older:
        older.setitem(stripe.FIELDS, EventKind.PAYMENT_SUCCEEDED, ("id", "amount_as_it_was"))
        event = told(house, paid()).answer
    assert event.state is EventState.QUARANTINED
    return event


def test_what_is_in_quarantine_is_stored_under_its_own_id_and_applied(
    house: Instance, quarantined: StoredEvent
) -> None:
    """Told again by the partner it is the same event, and its bytes open there as they came."""
    done = replay(house, quarantined.key)
    assert (done.answer.state, done.answer.event.id) == (EventState.RECEIVED, "evt_paid_pi_1")
    assert apply(house, task_in(done)).answer.state is EventState.APPLIED
    assert event_now(house, quarantined.key)[0] is EventState.REPLAYED
    again = told(house, paid())
    assert (again.replayed, again.answer.key, again.answer.state) == (True, done.answer.key, EventState.APPLIED)
    ref = inbox_ref(ACME, done.answer.key)
    document = house.store.get([ref])[ref]
    assert document is not None
    sealed = document[RAW]
    assert isinstance(sealed, bytes)
    sealer = house.vault.sealer(ACME, "inbox-2026-11")
    opened = sealer.open(Place(ACME, INBOX, ref.key), RAW, Sealed[str](sealed), Purpose.SUPPORT)
    assert opened == body_of(paid()).decode()
    assert house.proven()


def test_what_came_again_before_the_replay_is_not_told_twice(house: Instance, quarantined: StoredEvent) -> None:
    """The partner told it again after the new version: the replay finds it applied."""
    settle(house, paid())
    done = replay(house, quarantined.key)
    assert done.answer.state is EventState.APPLIED
    assert apply(house, task_in(done)).answer.state is EventState.APPLIED
    assert (entries(house), house.proven()) == (1, True)


def test_what_is_decided_is_not_replayed(house: Instance) -> None:
    """Applied, and no news."""
    applied = settle(house, paid())
    stale = settle(house, paid(event="evt_again"))
    for event in (applied, stale):
        with pytest.raises(EventDecided):
            replay(house, event.key, f"replay-{event.key}")


def test_what_is_still_not_understood_or_nothing_for_the_books_stays(house: Instance) -> None:
    """The refusal says which; nothing changes."""
    body = body_of({"hello": "world"})
    unreadable = received(house, RawEvent("stripe", body, signed(body))).answer
    other = told(house, paid() | {"type": "invoice.finalized"}).answer
    for event, refusal in ((unreadable, NotAnEvent), (other, NothingToApply)):
        with pytest.raises(refusal):
            replay(house, event.key, f"replay-{event.key}")
        assert event_now(house, event.key) == (event.state, 0)
    with pytest.raises(UnknownEvent):
        replay(house, "a" * 52, "replay-unknown")


def test_killed_at_any_moment_a_replay_is_finished_by_asking_again(house: Instance, another: More) -> None:
    """Dead between any two calls to store and queue: asked again, the event is applied once."""
    for moment in range(30):
        name = f"pi-{moment}"
        task = task_of(house, paid(name))
        key, fate = str(task.body["event"]), Fate()
        mortal = another(fate)
        mortal.inbox.page(ACME, 1, None, state=None, partner=None)
        fate.left = moment
        try:
            replay(mortal, key, name)
        except Killed:
            assert apply(house, task_in(replay(house, key, name))).answer.state is EventState.APPLIED
        else:
            assert moment > 3, "it reads, commits and sends"
            assert house.proven()
            return
    pytest.fail("it never lived to the end")


def test_who_replayed_is_on_record(house: Instance, refused: Command) -> None:
    """Law 13: the audit record names the operator."""
    replay(house, str(refused.body["event"]))
    audits = house.store.query(Query("audit", ACME, limit=200)).documents
    assert [one["principal"] for one in audits if one["action"] == "event.replay"] == ["user:olga"]


def test_a_replay_whose_queue_is_down_is_sent_by_the_sweep(house: Instance, refused: Command) -> None:
    """The command's row is in the commit of the replay."""
    house.post.down = True
    done = replay(house, str(refused.body["event"]))
    house.post.down = False
    assert house.outbox.sweep(NOON + timedelta(seconds=500)) >= 1
    assert task_in(done).id in house.post.tasks


def test_a_payment_of_a_closed_month_is_booked_on_the_day_of_its_replay(house: Instance) -> None:
    """A regression: its day's month never opens again, and the money was nowhere."""
    house.controls.run(a_call("close"), Control.HARD_CLOSE, "2026-11")
    task = task_of(house, paid())
    with pytest.raises(Refused, match="2026-11"):
        apply(house, task)
    december = NOON + timedelta(days=20)
    done = house.inbox.replay(a_call("replay", at=december, once=True), str(task.body["event"]))
    stored = apply(house, task_in(done), december).answer
    assert stored.state is EventState.APPLIED
    assert house.books.entry(ACME, StoredId(stored.entry_id)).entry.effective_on == december.date()
    assert payment(house).received == 12_000


def test_an_event_that_waits_is_retried_after_a_replay_too(house: Instance) -> None:
    """Its payment may still come: it waits as long again."""
    refund = task_of(house, refunded(amount=12_000))
    with pytest.raises(PaymentNeverCame):
        apply(house, refund, WAITED)
    task = task_in(house.inbox.replay(a_call("replay", at=WAITED, once=True), str(refund.body["event"])))
    with pytest.raises(Retryable):
        apply(house, task, WAITED)
