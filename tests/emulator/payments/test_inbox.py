"""Partners' events are taken in once, sealed, and never lost."""

import base64
import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared import counters
from shared.identity import TenantId
from shared.limits import WEBHOOK_PIECE_BYTES
from shared.payments.model import EventKind, EventState
from shared.payments.partners.secrets import live_secrets
from shared.payments.records import INBOX, RAW, inbox_ref
from shared.payments.refusals import BadSignature, OutsideReplayWindow, UnknownPartner
from shared.payments.use_cases.inbox import RawEvent
from shared.ports import Query
from shared.privacy import Place, Purpose, Sealed
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.lines import Switch, lost, unsent
from tests.emulator.payments.conftest import received, told, told_by
from tests.unit.payments.partner_samples import standard
from tests.unit.payments.stripe_events import OLD_SECRET, PAYER, SECRET, body_of, paid, signed


def stored(house: Instance, collection: str = INBOX) -> int:
    """How many documents a collection has."""
    return len(house.store.query(Query(collection, ACME)).documents)


def test_an_event_told_twice_is_stored_once_under_one_command(house: Instance) -> None:
    """The second telling answers the first and hands the same command over again."""
    first, again = told(house, paid()), told(house, paid())
    assert (first.replayed, again.replayed) == (False, True)
    assert first.answer == again.answer
    assert (stored(house), stored(house, "audit"), len(house.post.tasks)) == (1, 1, 1)
    assert house.post.handed_over == [first.messages[0].id] * 2


def test_another_body_of_the_same_event_is_the_same_event(house: Instance) -> None:
    """Stripe changes pending_webhooks from telling to telling; what was stored first stays."""
    told(house, paid())
    again = told(house, paid() | {"pending_webhooks": 0})
    assert again.replayed
    assert (stored(house), len(house.post.tasks)) == (1, 1)


def test_another_amount_under_the_same_id_changes_nothing(house: Instance) -> None:
    """An event's id says what it is; the first telling was believed."""
    first = told(house, paid(amount=100))
    again = told(house, paid(amount=999, event="evt_paid_pi_1"))
    assert again.answer == first.answer


def test_eight_tellings_at_once_store_one(house: Instance) -> None:
    """One is the first, seven are answered what it was."""
    told(house, paid("warm"))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: told(house, paid()), range(8)))
    assert [answer.replayed for answer in answers].count(False) == 1
    assert len({answer.answer for answer in answers}) == 1
    assert (stored(house), len(house.post.tasks)) == (2, 2)


def test_taking_in_warm_costs_one_commit_of_three_documents_and_one_task(house: Instance) -> None:
    """The bar of the hot path, counted: event, audit record and outbox row; no read, no key operation."""
    told(house, paid("warm"))
    spent = counters.begin()
    told(house, paid("hot"))
    assert (spent.reads, spent.writes, spent.rpcs, spent.deletes, spent.kms) == (0, 3, 1, 0, 0)
    assert len(house.post.handed_over) == 2


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_commit_without_an_answer_stores_the_event_once(house: Instance, fault: Switch) -> None:
    """Whether it landed or not, the event is there once and its command is sent."""
    told(house, paid("warm"))
    house.line.commits.append(fault)
    told(house, paid())
    assert (stored(house), len(house.post.tasks)) == (2, 2)


def test_a_queue_that_is_down_does_not_fail_the_telling(house: Instance) -> None:
    """The row waits, and the sweep sends it when it is old enough: not before, and once."""
    house.post.down = True
    command = told(house, paid()).messages[0]
    assert stored(house, "outbox") == 1
    house.post.down = False
    assert house.outbox.sweep(NOON + timedelta(seconds=119)) == 0
    assert house.outbox.sweep(NOON + timedelta(seconds=121)) == 1
    assert house.post.tasks == {command.id: command}
    assert (stored(house, "outbox"), house.outbox.sweep(NOON + timedelta(seconds=500))) == (0, 0)


def test_a_row_stays_until_its_message_is_known_to_be_sent(house: Instance) -> None:
    """Removal comes in batches after sending; until then a crash costs nothing."""
    told(house, paid())
    assert stored(house, "outbox") == 1
    house.outbox.remove_sent()
    assert stored(house, "outbox") == 0


def test_killed_at_any_moment_the_event_is_taken_in_when_stripe_tells_it_again(house: Instance, another: More) -> None:
    """Dead between any two calls to store and queue: told again, there is one event and one command."""
    told(house, paid("warm"))
    for moment in range(20):
        fate = Fate()
        mortal = another(fate)
        told(mortal, paid(f"warm-{moment}"))
        fate.left = moment
        event = paid(f"pi-{moment}")
        try:
            told(mortal, event)
        except Killed:
            again = told(house, event)
            assert again.answer.state is EventState.RECEIVED
            assert house.post.tasks[again.messages[0].id] == again.messages[0]
        else:
            assert moment == 4, "a commit and a task have four moments"
            return
    pytest.fail("it never lived to the end")


def test_an_event_signed_with_the_older_secret_says_so(house: Instance) -> None:
    """Which secret signed is kept: when the last one of the old is past, it can go."""
    body = body_of(paid())
    done = received(house, RawEvent("stripe", body, signed(body, secret=OLD_SECRET)))
    newer = received(house, RawEvent("stripe", body, signed(body, secret=SECRET)))
    assert done.answer.key_id == live_secrets([OLD_SECRET], NOON)[0].key_id
    assert (newer.replayed, newer.answer.key_id) == (True, done.answer.key_id)


@pytest.mark.parametrize(
    ("event", "kind", "state"),
    [
        (paid() | {"type": "invoice.finalized"}, EventKind.OTHER, EventState.KEPT),
        (paid(amount=12.5), EventKind.UNREADABLE, EventState.QUARANTINED),
        ({"hello": PAYER}, EventKind.UNREADABLE, EventState.QUARANTINED),
        ([1], EventKind.UNREADABLE, EventState.QUARANTINED),
    ],
)
def test_what_is_not_for_the_books_is_kept_and_sets_nothing_going(
    house: Instance, event: object, kind: EventKind, state: EventState
) -> None:
    """Unknown types are kept, unreadable bytes quarantined, told twice once; both are acknowledged."""
    body = body_of(event)
    first, again = (received(house, RawEvent("stripe", body, signed(body))) for _ in range(2))
    assert (first.answer.event.kind, first.answer.state, first.messages) == (kind, state, ())
    assert (again.replayed, again.answer, stored(house)) == (True, first.answer, 1)
    assert house.inbox.page(ACME, 10, None, state=state, partner="stripe").items == (first.answer,)


def test_the_raw_bytes_can_be_opened_as_they_came(house: Instance) -> None:
    """Every byte, also those that are no text: the proof of what was told."""
    body = body_of(paid(shipping={"name": "Zo\u00eb \u0141ukasz"})) + b"\xff\x00\n"
    done = received(house, RawEvent("stripe", body, _signed_bytes(body)))
    document = house.store.get([inbox_ref(ACME, done.answer.key)])[inbox_ref(ACME, done.answer.key)]
    assert document is not None
    sealed = document[RAW]
    assert isinstance(sealed, bytes)
    sealer = house.vault.sealer(ACME, "inbox-2026-11")
    opened = sealer.open(Place(ACME, INBOX, done.answer.key), RAW, Sealed[str](sealed), Purpose.SUPPORT)
    assert opened.encode("latin-1") == body


def _signed_bytes(body: bytes) -> dict[str, str]:
    seconds = int(NOON.timestamp())
    made = hmac.new(SECRET, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={seconds},v1={made}"}


def test_a_payers_name_is_in_no_document_and_no_message(house: Instance) -> None:
    """Sealed at the door: not in the inbox, the outbox, the audit, a task; in no encoding."""
    event = paid(invoice=PAYER)
    done = told(house, event)
    told(house, {"hello": PAYER})
    everything = [
        document.fields
        for collection in (INBOX, "outbox", "audit", "payments")
        for document in house.store.query(Query(collection, ACME)).documents
    ]
    seen = repr(everything) + repr(house.post.tasks) + repr(done)
    raw = b"".join(value for fields in everything for value in fields.values() if isinstance(value, bytes))
    for name in (PAYER, json.dumps(PAYER), base64.b64encode(PAYER.encode()).decode()):
        assert name not in seen
        assert name.encode() not in raw


def test_the_largest_event_that_the_inbox_keeps_can_be_kept(house: Instance) -> None:
    """Sealing makes it longer; the document still fits."""
    body = body_of(paid()) + b"\xff" * (WEBHOOK_PIECE_BYTES - len(body_of(paid())))
    done = received(house, RawEvent("stripe", body, _signed_bytes(body)))
    assert (done.answer.state, stored(house)) == (EventState.QUARANTINED, 1)


@pytest.mark.parametrize(
    ("tenant", "partner"),
    [("acme", "paypal"), ("stranger", "stripe"), ("acme", "..")],
    ids=["partner", "tenant", "path"],
)
def test_a_partner_without_a_secret_of_the_tenant_is_unknown(house: Instance, tenant: str, partner: str) -> None:
    """Neither the partner nor the tenant can be guessed from another's."""
    body = body_of(paid())
    with pytest.raises(UnknownPartner):
        house.inbox.receive(a_call("", tenant=TenantId(tenant)), RawEvent(partner, body, signed(body)))
    assert stored(house) == 0


def test_a_forged_or_stale_event_leaves_no_trace(house: Instance) -> None:
    """No document is written before the signature holds."""
    body = body_of(paid())
    with pytest.raises(BadSignature):
        house.inbox.receive(a_call(""), RawEvent("stripe", body, signed(body, secret=b"whsec_guessed")))
    with pytest.raises(OutsideReplayWindow):
        house.inbox.receive(a_call(""), RawEvent("stripe", body, signed(body, NOON - timedelta(hours=1))))
    assert [stored(house, collection) for collection in (INBOX, "outbox", "audit")] == [0, 0, 0]
    assert house.post.handed_over == []


def test_two_tenants_hear_of_the_same_event_apart(house: Instance) -> None:
    """One account of Stripe's may serve two tenants: keys, commands and documents differ."""
    rival = TenantId("rival")
    house.vault.ensure_tenant(rival)
    theirs, ours = told(house, paid(), tenant=rival), told(house, paid())
    assert theirs.answer.key != ours.answer.key
    assert theirs.messages[0].id != ours.messages[0].id


@pytest.mark.parametrize(
    ("dated", "taken_for"),
    [
        ("0001-01-01T00:00:00Z", NOON),
        ("1970-01-01T00:00:00Z", NOON),
        ("9999-12-31T23:59:59Z", NOON),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("2026-11-16T23:00:00.5+11:00", NOON + timedelta(milliseconds=500)),
        ("2026-11-17T12:00:00Z", NOON + timedelta(days=1)),
    ],
)
def test_an_event_of_no_day_is_of_the_day_it_came(house: Instance, dated: str, taken_for: datetime) -> None:
    """A regression: dated 9999 its money was in no balance, dated by a clock that was never set in the year 1."""
    (known,) = told_by(house, "standard", standard() | {"timestamp": dated}).answer
    assert known.event.occurred_at == taken_for
