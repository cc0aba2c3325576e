"""Partners' events under load: acknowledged beside a bare door, at half of the full load, and a burst that is drained.

The queue is paused while acknowledgments are measured. The burst is told to a tenant of its own; then its queue goes,
and what the books say is compared with what was told.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final

import stripe

from shared.identity import TenantId
from shared.payments.model import EventState
from shared.payments.rules.accounts import UNAPPLIED_CASH
from shared.payments.use_cases.inbox import QUEUE
from shared.ports import Query, Where
from shared.tenants.use_cases.tenants import NewTenant
from shared.wiring import House
from tests.bench.bare_door import bare_host
from tests.bench.load import Request, at_full_load, at_rate, percentile
from tests.bench.rows import Row
from tests.bench.world import TENANT, World, a_call

EACH: Final = 500
"""Acknowledgments of a round."""

ROUNDS: Final = 3
THREADS: Final = 8
BAR: Final = 0.5
STEADY_SECONDS: Final = 30
CONNECTIONS: Final = 32
P99_MS: Final = 500
"""A tenth of the five seconds that Wise waits, the most impatient of the partners."""

BURST: Final = 5_000
BURST_TENANT: Final = TenantId("burst")
AGAIN: Final = 10
"""Every so many events of the burst, one is told twice."""

REFUND_EACH: Final = 10
REFUNDED: Final = 300
DRAIN_SECONDS: Final = 900
CLEARING: Final = "assets:clearing:stripe"

_numbers: Final = count(1)


def rows(world: World) -> Iterator[Row]:
    """Acknowledgments a second and their delays; the burst, its drain and what is left of it."""
    with bare_host(world.cloud) as bare_url:
        bare, full = _full_load(world, bare_url)
        how = f"POST by {THREADS} threads, queue paused, best of {ROUNDS} alternating rounds of {EACH}"
        yield Row("bare door", bare, "answers/s", f"one commit of a 1 KB document, one task; {how}")
        row = Row("webhook, acknowledged", full, "answers/s", f"receive_webhook; {how}", full / bare)
        yield row.at_least(BAR)
    yield from _half_load(world, full / 2)
    yield from _burst(world)


def _full_load(world: World, bare_url: str) -> tuple[float, float]:
    """The best of each, in answers a second."""
    bare, full = 0.0, 0.0
    for turn in range(ROUNDS + 1):  # the first only warms up
        bodies = [Request("/", str(next(_numbers)).encode()) for _ in range(EACH)]
        plain = at_full_load(bare_url, bodies, THREADS)
        told = at_full_load(world.cloud.doors_url, _payments(world, EACH), THREADS)
        if turn:
            bare, full = max(bare, plain), max(full, told)
    return bare, full


def _half_load(world: World, per_second: float) -> Iterator[Row]:
    taken = at_rate(
        world.cloud.doors_url, _payments(world, max(100, int(per_second * STEADY_SECONDS))), per_second, CONNECTIONS
    )
    how = f"{len(taken)} events at {per_second:.0f} a second, from when each should have gone out to its answer"
    yield Row("webhook at half load, p50", percentile(taken, 50) * 1_000, "ms", how)
    yield Row("webhook at half load, p99", percentile(taken, 99) * 1_000, "ms", how).at_most(P99_MS)


def _payments(world: World, number: int) -> list[Request]:
    """Payments that nobody has seen, signed now."""
    sender = Sender(TENANT, world.webhook_secret, world.house.clock.now())
    return [sender.payment(next(_numbers), 12_000) for _ in range(number)]


# --- the burst ---------------------------------------------------------------------------


def _burst(world: World) -> Iterator[Row]:
    """Everything at once, then the queue: each event is applied, once, and the books say what was told."""
    house = world.house
    _open(world)
    world.purge(QUEUE)
    told, received, refunded = _told(world)
    acknowledged = at_full_load(world.cloud.doors_url, told, THREADS)
    how = f"{BURST} events, every {AGAIN}th told twice, by {THREADS} threads, queue paused"
    yield Row("burst, acknowledged", acknowledged, "answers/s", how)
    seconds = _drained(world)
    how = f"from the queue's start until all {BURST} events are applied, two host processes, at most 200 tasks a second"
    yield Row("burst, drained", BURST / seconds, "events/s", how)
    yield Row("burst, seconds to drain", seconds, "s", how).at_most(DRAIN_SECONDS)
    stored = _count(house, "inbox")
    applied = _count(house, "inbox", Where("state", "==", EventState.APPLIED.value))
    yield Row("burst: events in the inbox", stored, "events", "each id once").exactly(BURST)
    yield Row("burst: events not applied", stored - applied, "events", "nothing lost").exactly(0)
    payments = BURST - BURST // REFUND_EACH
    yield Row("burst: payments", _count(house, "payments"), "payments", "nothing doubled").exactly(payments)
    off = _off(house, {CLEARING: received - refunded, UNAPPLIED_CASH: received - refunded})
    yield Row("burst: books differ by", off, "pence", "clearing and unapplied cash from what was told").exactly(0)


def _told(world: World) -> tuple[list[Request], int, int]:
    """What is told, and how many pence it says came and went back."""
    sender = Sender(BURST_TENANT, world.cloud.make_webhook_secret(BURST_TENANT), world.house.clock.now())
    told, received, refunded = list[Request](), 0, 0
    for number in range(BURST):
        if number % REFUND_EACH == REFUND_EACH - 1:
            told.append(sender.refund(number - 1, REFUNDED))
            refunded += REFUNDED
        else:
            told.append(sender.payment(number, 1_000 + number % 97))
            received += 1_000 + number % 97
    return [*told, *told[::AGAIN]], received, refunded


def _open(world: World) -> None:
    call = a_call(world.house, "burst", tenant=BURST_TENANT)
    world.house.tenants.create(call, NewTenant(BURST_TENANT, "Burst Ltd", "GB", "GBP", {}, "user:bench"))


def _drained(world: World) -> float:
    """Let the queue go; seconds until every event of the burst is applied, or the time is over."""
    begun = time.monotonic()
    with world.running(QUEUE):
        while time.monotonic() < begun + DRAIN_SECONDS:
            if _count(world.house, "inbox", Where("state", "==", EventState.APPLIED.value)) >= BURST:
                break
            time.sleep(0.5)
        return time.monotonic() - begun


def _count(house: House, collection: str, *where: Where) -> int:
    return int(house.store.aggregate(Query(collection, BURST_TENANT, where))["count"])


def _off(house: House, expected: dict[str, int]) -> int:
    """How far the accounts are from what is expected, all differences together."""
    month = f"{house.clock.now():%Y-%m}"
    balances = {row.account: row.amount for row in house.reports.trial_balance(BURST_TENANT, month).rows}
    return sum(abs(balances.get(account, 0) - amount) for account, amount in expected.items())


# --- what is sent ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sender:
    """Stripe, as it tells events to one tenant, signed at one instant by Stripe's own library."""

    tenant: TenantId
    secret: str
    at: datetime

    def payment(self, number: int, amount: int) -> Request:
        """So much came, for no invoice."""
        said = {"id": f"pi_load_{number}", "amount_received": amount, "currency": "gbp"}
        return self._told(f"evt_load_{number}", "payment_intent.succeeded", said)

    def refund(self, number: int, amount: int) -> Request:
        """So much of a payment was given back."""
        said = {"id": f"re_load_{number}", "payment_intent": f"pi_load_{number}", "amount": amount}
        return self._told(f"evt_back_{number}", "refund.created", said | {"currency": "gbp", "status": "succeeded"})

    def _told(self, identity: str, kind: str, said: dict[str, Any]) -> Request:
        now = int(self.at.timestamp())
        body = json.dumps({"id": identity, "type": kind, "created": now, "data": {"object": said}})
        mac = stripe.WebhookSignature._compute_signature(f"{now}.{body}", self.secret)
        headers = {"Stripe-Signature": f"t={now},v1={mac}"}
        return Request(f"/v1/webhooks/{self.tenant}/stripe", body.encode(), headers)
