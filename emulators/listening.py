"""Deliveries as they happen: partners' from the doors' log and the inbox, ours from the delivery log.

Nothing personal is in either: ids, types, states, figures.
"""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from emulators.trigger import pages
from shared.cli.client import Client

ROUTE: Final = "/v1/webhooks/{tenant}/{partner}"
PATIENCE_SECONDS: Final = 5.0
"""How long a delivery is held back for its events to come to something, on the machine's clock."""
RECEIVED: Final = "received"
UNDER_WAY: Final = "pending"
MOST_DELIVERIES: Final = 100


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was delivered: `way` is `in` or `out`."""

    at: datetime
    way: str
    partner: str | None = None
    endpoint: str | None = None
    event_id: str | None = None
    type: str | None = None
    state: str | None = None
    status: int | None = None
    milliseconds: int | None = None
    refused: str | None = None
    replayed: bool | None = None


@dataclass(slots=True)
class _Waiting:
    """A delivery in the log whose events are not shown yet."""

    request: Mapping[str, Any]
    keys: list[str]
    since: float


@dataclass(slots=True)
class Deliveries:
    """Looks at a running cloud again and again, and says each time what is new of one tenant."""

    log: Path
    client: Client
    tenant: str
    _offset: int = 0
    _keys: dict[str, list[str]] = field(default_factory=dict)
    """The inbox's keys by the trace of the request that brought them."""
    _waiting: list[_Waiting] = field(default_factory=list)
    _shown: dict[str, int] = field(default_factory=dict)
    """Attempts that were shown, by our own delivery."""

    def look(self, since: datetime | None, *, patient: bool) -> list[Seen]:
        """What is new, in the order of its time; the patient look waits for events to come to something."""
        self._read()
        found = [*self._came_in(patient=patient), *self._went_out()]
        return sorted((seen for seen in found if since is None or seen.at >= since), key=lambda seen: seen.at)

    # --- in

    def _read(self) -> None:
        """What the doors' log says since the last look; a line that is not written to its end waits."""
        with self.log.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                if b'"webhook_taken_in"' in line or b'"request"' in line:
                    self._note(line)

    def _note(self, line: bytes) -> None:
        try:
            fields = json.loads(line)
        except ValueError:
            return
        if not isinstance(fields, dict) or fields.get("tenant") != self.tenant:
            return
        place = str(fields.get("logging.googleapis.com/spanId"))
        if fields.get("message") == "webhook_taken_in":
            self._keys[place] = fields["inbox"]
        elif fields.get("message") == "request" and fields.get("route") == ROUTE:
            self._waiting.append(_Waiting(fields, self._keys.pop(place, []), time.monotonic()))

    def _came_in(self, *, patient: bool) -> Iterator[Seen]:
        waiting, self._waiting = self._waiting, []
        partners = {_partner(each.request) for each in waiting if each.keys}
        inbox = {one["id"]: one for partner in partners for one in self._inbox(partner)}
        for each in waiting:
            stored = [inbox.get(key) for key in each.keys]
            unsettled = any(one is None or one["state"] == RECEIVED for one in stored)
            if patient and unsettled and time.monotonic() - each.since < PATIENCE_SECONDS:
                self._waiting.append(each)
                continue
            yield from (_taken(each.request, one) for one in stored if one)
            if not each.keys:
                yield _taken(each.request, {})

    def _inbox(self, partner: str) -> Iterator[dict[str, Any]]:
        return pages(self.client, f"/v1/payments/events?partner={partner}")

    # --- out

    def _went_out(self) -> Iterator[Seen]:
        for endpoint in pages(self.client, "/v1/webhook_endpoints?"):
            path = f"/v1/webhook_endpoints/{endpoint['id']}/deliveries"
            for delivery in self.client.get(f"{path}?limit={MOST_DELIVERIES}")["items"]:
                shown = self._shown.get(delivery["id"], 0)
                if delivery["attempts"] > shown:
                    logged = self.client.get(f"{path}/{delivery['id']}")
                    self._shown[delivery["id"]] = logged["attempts"]
                    yield from (_sent(logged, attempt) for attempt in logged["log"] if attempt["number"] > shown)


def _taken(request: Mapping[str, Any], stored: Mapping[str, Any]) -> Seen:
    return Seen(
        at=datetime.fromisoformat(request["time"]),
        way="in",
        partner=_partner(request),
        event_id=stored.get("event_id"),
        type=stored.get("type"),
        state=stored.get("state"),
        status=request["status"],
        milliseconds=round(request["duration_ms"]),
        refused=request.get("refused") or stored.get("refused"),
        replayed=request.get("replayed") or None,
    )


def _sent(delivery: Mapping[str, Any], attempt: Mapping[str, Any]) -> Seen:
    return Seen(
        at=datetime.fromisoformat(attempt["at"]),
        way="out",
        endpoint=delivery["endpoint"],
        event_id=delivery["message"],
        type=delivery["type"],
        state=delivery["state"],
        status=attempt["status"],
        milliseconds=attempt["duration_ms"],
        refused=attempt["trouble"],
    )


def _partner(request: Mapping[str, Any]) -> str:
    return str(request.get("principal") or "").removeprefix("partner:")
