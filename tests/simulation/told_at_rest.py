"""What receivers were told at rest: all that they wanted, or the record says why not; the log says what was sent."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, cast

from shared.ports import Fields
from shared.webhooks.records import delivery_id
from shared.webhooks.rules.filters import wanted
from tests.simulation.business import Business
from tests.simulation.documents import Stored
from tests.simulation.receivers import Receiver

ROUND: Final = 10
LANES: Final = frozenset({"deliver_webhook", "deliver_slow_webhook"})

Deliveries = Mapping[str, Fields]


def told(business: Business, documents: Mapping[str, Mapping[str, Fields]]) -> None:
    """Look at everything that one tenant's receivers were to be told."""
    receivers = [one for one in business.cloud.receivers.by_url.values() if one.tenant == business.tenant]
    deliveries, announced = documents.get("webhook_deliveries", {}), _announced(business)
    ordered, gone = _ordered(business), set[str]()
    for receiver in receivers:
        _wanted(business, receiver, announced, deliveries)
        if _disabled(business, receiver, announced):
            gone.add(receiver.endpoint)
    by_endpoint = {one.endpoint: one for one in receivers}
    for key, delivery in deliveries.items():
        receiver = by_endpoint[str(delivery["endpoint"])]
        problems = (
            _ended(delivery, receiver, gone=receiver.endpoint in gone),
            "" if delivery["state"] != "pending" or (key, _next(delivery)) in ordered else "waits for no task",
            _log(key, delivery, documents.get("webhook_attempts", {}), receiver),
        )
        for problem in filter(None, problems):
            business.cloud.world.violated(f"a webhook {problem}")
    if any(one["state"] == "running" for one in documents.get("webhook_resends", {}).values()):
        business.cloud.world.violated("a resend of a range stands still")


def _announced(business: Business) -> dict[str, Stored]:
    """Every announcement of the tenant by its id, as its row was written."""
    documents, found = business.cloud.store.documents, dict[str, Stored]()
    for name in documents.by_collection.get("outbox", ()):
        row = documents.past[name][0][1]
        if row and f"/tenants/{business.tenant}/" in name and row.fields["kind"] == "announcement":
            found[name.rsplit("/", 1)[-1]] = row
    return found


def _ordered(business: Business) -> set[tuple[str, int]]:
    """Deliveries and the numbers of the attempts that queues have tasks for."""
    bodies: Iterable[Any] = (
        json.loads(body)["body"] for door, body, _ in business.cloud.tasks.post.held.values() if door in LANES
    )
    return {(body["delivery"], body["number"]) for body in bodies}


def _next(delivery: Fields) -> int:
    return cast("int", delivery["attempts"]) + 1


def _wanted(business: Business, receiver: Receiver, announced: Mapping[str, Stored], deliveries: Deliveries) -> None:
    """What an endpoint wanted from when it was announced until it was told has a delivery to it."""
    cloud = business.cloud
    messages = cloud.store.documents
    for key, row in announced.items():
        message = messages.get(row.name.replace("/outbox/", "/webhook_messages/"))
        states = cloud.receivers.between(receiver, row.updated, message.created if message else None)
        wants = bool(states) and all(
            one["state"] == "enabled" and wanted(cast("list[str]", one["filters"]), str(row.fields["type"]))
            for one in states
        )
        if wants and delivery_id(key, receiver.endpoint) not in deliveries:
            cloud.world.violated(f"{row.fields['type']!s} was never told to an endpoint that wants it")
    for delivery in deliveries.values():
        if delivery["message"] not in announced:
            cloud.world.violated("a webhook tells what was never announced")


def _disabled(business: Business, receiver: Receiver, announced: Mapping[str, Stored]) -> bool:
    """Each time that an endpoint was disabled, it was announced; whether it ever was."""
    told = {
        row.fields["subject_version"]
        for row in announced.values()
        if row.fields["type"] == "webhook_endpoint.disabled" and row.fields["subject"] == receiver.endpoint
    }
    before, ever = "enabled", False
    for state in business.cloud.receivers.between(receiver, 0, None):
        if state["state"] == "disabled" and before == "enabled" and state["version"] not in told:
            business.cloud.world.violated("an endpoint was disabled without notice")
        before = str(state["state"])
        ever = ever or before == "disabled"
    return ever


def _ended(delivery: Fields, receiver: Receiver, *, gone: bool) -> str:
    """Delivered is what the receiver has taken; failed is what was tried often enough, or had nobody to go to."""
    tries = cast("int", delivery["attempts"]) - cast("int", delivery["round_start"])
    match delivery["state"]:
        case "delivered" if f"msg_{delivery['message']!s}" not in receiver.taken:
            return "is delivered that its receiver never took"
        case "failed" if tries < ROUND and not gone:
            return f"failed after {tries} attempts"
        case "pending" if not isinstance(delivery["next_attempt_at"], datetime):
            return "waits for ever"
        case _:
            return ""


def _log(key: str, delivery: Fields, attempts: Mapping[str, Fields], receiver: Receiver) -> str:
    """Every attempt that was counted is in the log, and each status there is one that the receiver gave."""
    numbers = range(1, _next(delivery))
    if any(f"{key}.{number}" not in attempts for number in numbers):
        return "lacks attempts in its log"
    statuses = (attempts[f"{key}.{number}"]["status"] for number in numbers)
    logged = Counter(status for status in statuses if isinstance(status, int))
    given = receiver.answered[f"msg_{delivery['message']!s}"]
    return f"was answered {dict(given)}, the log says {dict(logged)}" if logged - given else ""
