"""A bank as it behaves: it tells of transfers to virtual accounts by Standard Webhooks; twice, late, and taken back."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from shared.calls import Call, Done
from shared.faults import Refused
from shared.identity import Cause, TenantId, stored_id
from shared.payments.model import StoredEvent
from shared.payments.use_cases.inbox import RawEvent
from tests.simulation.cloud import Cloud, Instance
from tests.simulation.doors import TRACE
from tests.simulation.faults import Fault
from tests.simulation.partner import DOOR

PARTNER: Final = "standard"
KEY: Final = b"the bank's key for webhooks"
TAKEN_BACK: Final = 0.25
"""How often a transfer is taken back, in whole or in part."""


@dataclass(frozen=True)
class Told:
    """One event: of which transfer, how much came or was taken back, and to which account it came."""

    transfer: str
    amount: int
    paid_to: str
    taken_back: bool = False


@dataclass
class Bank:
    """The bank of one tenant."""

    cloud: Cloud
    tenant: TenantId
    told: dict[str, Told] = field(default_factory=dict)
    """By the event's id."""
    sending: int = 0
    _transfers: int = 0

    def __post_init__(self) -> None:
        self.cloud.secrets.live[f"webhook-{self.tenant}-{PARTNER}"] = (b"whsec_" + base64.b64encode(KEY),)

    def came(self, amount: int, paid_to: str) -> None:
        """Somebody pays to an account; now and then it is taken back."""
        random, name = self.cloud.world.random, f"t_{self._transfers}"
        self._transfers += 1
        self._happens(f"evt_{name}", "payment.succeeded", Told(name, amount, paid_to))
        if random.random() < TAKEN_BACK:
            self.took_back(name)

    def took_back(self, name: str) -> None:
        """A transfer is taken back, in whole or in part, once."""
        random, came = self.cloud.world.random, self.told[f"evt_{name}"]
        part = random.choice((came.amount, random.randint(1, came.amount)))
        if f"evt_{name}_back" not in self.told:
            self._happens(f"evt_{name}_back", "payment.reversed", replace(came, amount=part, taken_back=True))

    def _happens(self, event: str, kind: str, told: Told) -> None:
        world = self.cloud.world
        self.told[event] = told
        said = {"payment": told.transfer, "amount": told.amount, "currency": "GBP", "paid_to": told.paid_to}
        body = json.dumps({"id": event, "type": kind, "timestamp": world.now.isoformat(), "data": said}).encode()
        late = world.faults.strike(DOOR, Fault.WEBHOOK_LATE)
        wait = world.random.expovariate(1 / (world.random.choice((60.0, 5_000.0)) if told.taken_back else 2.0))
        delays = [wait + (world.random.choice((60.0, 3_600.0, 20_000.0)) if late else 0.0)]
        if world.faults.strike(DOOR, Fault.WEBHOOK_TWICE):
            delays.append(delays[0] + world.random.choice((0.0, 0.01, 30.0, 7_200.0)))
        for delay in delays:
            self.sending += 1
            world.after(delay, lambda: self._attempt(event, body, 0))

    def _attempt(self, event: str, body: bytes, attempts: int) -> None:
        world = self.cloud.world

        def ended(answer: Any) -> None:
            if isinstance(answer, Refused):
                world.violated(f"a good transfer was refused: {answer.code}")
            if isinstance(answer, BaseException):
                pause = min(3_600.0, 5.0 * 2 ** min(attempts, 10)) * world.random.uniform(0.5, 1.5)
                world.after(pause, lambda: self._attempt(event, body, attempts + 1))
            else:
                self.sending -= 1

        headers = _signed(event, body, world.now)

        def receive(instance: Instance) -> Done[tuple[StoredEvent, ...]]:
            cause, asked = Cause(f"webhook:{PARTNER}", DOOR, ""), stored_id("request", event)
            call = Call(self.tenant, f"partner:{PARTNER}", cause, "simulated", asked, TRACE, instance.clock.now())
            return instance.house.inbox.receive(call, RawEvent(PARTNER, body, headers))

        self.cloud.serve(DOOR, receive, ended)


def _signed(event: str, body: bytes, at: datetime) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    made = hmac.new(KEY, f"{event}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(made).decode()}"
    return {"webhook-id": event, "webhook-timestamp": stamp, "webhook-signature": signature}
