"""A partner's webhook, from its raw bytes to what the partner may be told, beside one raw commit."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import stripe

from shared import counters
from shared.http import logs
from shared.payments.use_cases.inbox import RawEvent
from tests.bench.posting import raw
from tests.bench.rows import Row, middle
from tests.bench.world import TENANT, World, a_call

PATH: Final = f"/v1/webhooks/{TENANT}/stripe"
EACH: Final = 600
"""Webhooks, and raw commits."""

WARM: Final = 200
"""Of each beforehand, which are not measured."""

BAR: Final = 3.0
"""How often the time of a raw commit a webhook may take: it commits, and creates a task."""

Prepare: TypeAlias = Callable[[], Callable[[], object]]
"""Makes ready, outside of the time, what is then done within it."""

_numbers: Final = count(1)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A payment event as Stripe sends and signs it."""

    body: bytes
    signature: str


def signed(world: World) -> Webhook:
    """An event that nobody has seen, signed now by Stripe's own library."""
    number, now = next(_numbers), world.house.clock.now().timestamp()
    intent = {
        "id": f"pi_bench_{number}",
        "object": "payment_intent",
        "amount_received": 12_000,
        "currency": "gbp",
        "metadata": {"invoice_id": "bench"},
    }
    event = {"id": f"evt_bench_{number}", "object": "event", "type": "payment_intent.succeeded", "created": int(now)}
    body = json.dumps(event | {"data": {"object": intent}})
    mac = stripe.WebhookSignature._compute_signature(f"{int(now)}.{body}", world.webhook_secret)
    return Webhook(body.encode(), f"t={int(now)},v1={mac}")


def rows(world: World) -> Iterator[Row]:
    """Milliseconds of a webhook in this process and over HTTP, and its operations."""
    logs.configure(world.house)  # as the doors do
    receive, create, ask = _receive(world), raw(world.house, "webhook"), _asking(world)
    works: dict[str, Prepare] = {
        "raw": lambda: partial(create, next(_numbers)),
        "webhook": receive,
        "http": ask,
    }
    _p50_ms(works, WARM)
    p50 = _p50_ms(works, EACH)
    how = f"p50 of {EACH}, taking turns one by one"
    yield Row("raw commit, p50", p50["raw"], "ms", f"one 1 KB document; {how}")
    inside = f"Inbox.receive: verify, seal, commit, enqueue; {how}"
    yield Row("webhook acknowledged, p50", p50["webhook"], "ms", inside, p50["webhook"] / p50["raw"]).ratio_at_most(BAR)
    outside = f"POST to the functions host on a kept connection; {how}"
    yield Row("webhook over HTTP, p50", p50["http"], "ms", outside, p50["http"] / p50["raw"])
    yield from _cost(receive)


def _p50_ms(works: dict[str, Prepare], each: int) -> dict[str, float]:
    """The median time of each work, whose preparation is outside of the time.

    They take turns, so that a slow minute of the machine is every work's. What is logged meanwhile goes nowhere.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        for _ in range(each):
            for name, make in works.items():
                do = make()
                started = time.perf_counter()
                do()
                times[name].append(time.perf_counter() - started)
    return {name: middle(figures) * 1_000 for name, figures in times.items()}


def _receive(world: World) -> Prepare:
    """Prepares one webhook for this process's own house."""

    def prepare() -> Callable[[], object]:
        webhook, house = signed(world), world.house
        call = a_call(house, "")
        event = RawEvent("stripe", webhook.body, {"stripe-signature": webhook.signature})
        return lambda: house.inbox.receive(call, event)

    return prepare


def _asking(world: World) -> Prepare:
    """Prepares one webhook for the functions host."""
    connection = HTTPConnection(urlsplit(world.cloud.doors_url).netloc, timeout=20)

    def prepare() -> Callable[[], object]:
        webhook = signed(world)
        return lambda: deliver(connection, webhook)

    return prepare


def deliver(connection: HTTPConnection, webhook: Webhook) -> None:
    """Post one webhook and have it acknowledged.

    Raises:
        RuntimeError: the answer is not 200.
    """
    headers = {"Content-Type": "application/json", "Stripe-Signature": webhook.signature}
    connection.request("POST", PATH, webhook.body, headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != HTTPStatus.OK:
        message = f"the webhook was answered {answer.status}: {text.decode(errors='replace')}"
        raise RuntimeError(message)


def _cost(receive: Prepare) -> Iterator[Row]:
    """The operations of one webhook in a warm process; the outbox, just emptied, does not fall due in it."""
    receive()()
    do = receive()
    operations = counters.begin()
    do()
    how = "one webhook in a warm process: event, audit, outbox row; then its task"
    yield Row("webhook: reads", operations.reads, "documents", how).exactly(0)
    yield Row("webhook: commits", operations.rpcs - operations.tasks, "RPCs", how).exactly(1)
    yield Row("webhook: tasks", operations.tasks, "tasks", how).exactly(1)
    yield Row("webhook: writes", operations.writes, "documents", how).exactly(3)
    yield Row("webhook: KMS operations", operations.kms, "operations", how).exactly(0)
