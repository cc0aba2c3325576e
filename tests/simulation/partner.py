"""Stripe as it behaves: events signed at each attempt, sent until they are taken; twice, late, disordered, forged."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shared.calls import Call, Done
from shared.faults import Refused
from shared.identity import Cause, TenantId, stored_id
from shared.payments.model import StoredEvent
from shared.payments.use_cases.inbox import RawEvent
from tests.simulation.cloud import Cloud, Instance
from tests.simulation.doors import TRACE
from tests.simulation.faults import Fault
from tests.simulation.world import CANARY

DOOR: Final = "receive_webhook"

AGAIN: Final = 0.15
"""How often the partner tells of one payment, or of one refund, in two events."""
FAILS: Final = 0.3
"""How often a refund fails, mostly after it went; half of those are made again, as another."""


@dataclass(frozen=True)
class Refund:
    """What an event tells of a refund: which, how much, and whether it went or failed."""

    id: str
    amount: int
    failed: bool


@dataclass
class Truth:
    """What the partner knows of a payment."""

    amount: int
    invoice: str
    refunds: int = 0
    refunded: int = 0
    """In all, by us and by hand, less what came back."""
    on: datetime | None = None
    currency: str = "gbp"


@dataclass
class Stripe:
    """The partner of one tenant."""

    cloud: Cloud
    tenant: TenantId
    payments: dict[str, Truth] = field(default_factory=dict)
    told: dict[str, tuple[str, Refund | None]] = field(default_factory=dict)
    """Events by id: the payment, and the refund of it; None when it came."""
    ours: set[str] = field(default_factory=set)
    """Refunds by id that we asked for."""
    forged: set[str] = field(default_factory=set)
    sending: int = 0
    secret: bytes = b"whsec_first"

    def __post_init__(self) -> None:
        self.cloud.secrets.live[self._name] = (self.secret,)

    @property
    def _name(self) -> str:
        return f"webhook-{self.tenant}-stripe"

    def switch_secret(self) -> None:
        """A new secret is live beside the old one; what is on its way, and some later, is signed with the old one."""
        new = f"whsec_{self.cloud.world.random.randrange(10**6)}".encode()
        self.cloud.secrets.live[self._name] = (new, self.secret)
        world = self.cloud.world

        def signs_with_new() -> None:
            self.secret = new

        world.after(900, signs_with_new)

    # --- what happens at the partner

    def paid(self, amount: int, invoice: str, *, currency: str = "gbp") -> str:
        """Somebody pays."""
        world = self.cloud.world
        payment = f"pi_{self.tenant}_{len(self.payments)}"
        at = world.now - timedelta(days=30) if world.faults.strike(DOOR, Fault.WEBHOOK_OLD) else world.now
        self.payments[payment] = Truth(amount, invoice, on=at, currency=currency)
        said = {"id": payment, "amount_received": amount, "currency": currency, "metadata": {"invoice_id": invoice}}
        for event in (f"evt_{payment}", f"evt_{payment}_again")[: 2 if world.random.random() < AGAIN else 1]:
            self.told[event] = (payment, None)
            self._send(event, "payment_intent.succeeded", said | {"shipping": {"name": CANARY}}, at)
        return payment

    def gave_back(self, payment: str, amount: int) -> None:
        """Some of a payment goes back by hand, if so much is left; some fail, and some of these are made again."""
        random, truth = self.cloud.world.random, self.payments[payment]
        amount = min(amount, self.left_for_us(payment))
        if not amount:
            return
        refund = f"re_{payment}_{truth.refunds}"
        truth.refunds += 1
        went = random.random() > FAILS / 3
        kinds = ("refund.created", "refund.updated")[: 2 if random.random() < AGAIN else 1] if went else ()
        truth.refunded += amount
        for kind in kinds:
            self.tells(payment, Refund(refund, amount, failed=False), kind)
        if not went or random.random() < FAILS:
            self.came_back(payment, Refund(refund, amount, failed=True))
            if random.random() < 1 / 2:
                self.gave_back(payment, amount)

    def gave_back_for_us(self, payment: str, refund: Refund) -> None:
        """A refund that we asked for is made; whether it reaches the payer is told when it is known."""
        self.ours.add(refund.id)
        self.payments[payment].refunded += refund.amount

    def came_back(self, payment: str, refund: Refund) -> None:
        """A refund did not reach the payer."""
        self.payments[payment].refunded -= refund.amount
        self.tells(payment, refund, "refund.failed")

    def tells(self, payment: str, refund: Refund, kind: str) -> None:
        """Tell of a refund."""
        status = "failed" if refund.failed else "succeeded"
        currency = self.payments[payment].currency
        said = {"id": refund.id, "payment_intent": payment, "amount": refund.amount, "currency": currency}
        event = f"evt_{refund.id}_{kind}"
        self.told[event] = (payment, refund)
        self._send(event, kind, said | {"status": status}, self.cloud.world.now)

    def left_for_us(self, payment: str) -> int:
        """How much of a payment can still go back."""
        truth = self.payments[payment]
        return truth.amount - truth.refunded

    # --- how it tells us

    def _send(self, identity: str, kind: str, said: dict[str, Any], at: datetime) -> None:
        world = self.cloud.world
        event = {
            "id": identity,
            "object": "event",
            "type": kind,
            "created": int(at.timestamp()),
            "data": {"object": said},
        }
        body = json.dumps(event).encode()
        delay = world.random.expovariate(1 / 2.0)
        if world.faults.strike(DOOR, Fault.WEBHOOK_LATE):
            delay += world.random.choice((60.0, 3_600.0, 20_000.0))
        self.sending += 1
        world.after(delay, lambda: self._attempt(body, 0))
        if world.faults.strike(DOOR, Fault.WEBHOOK_TWICE):
            self.sending += 1
            world.after(delay + world.random.choice((0.0, 0.01, 30.0, 7_200.0)), lambda: self._attempt(body, 0))
        if world.faults.strike(DOOR, Fault.WEBHOOK_STALE):
            self._replay(body)
        if world.faults.strike(DOOR, Fault.WEBHOOK_FORGED):
            self._forge(event)

    def _attempt(self, body: bytes, attempts: int) -> None:
        def ended(answer: Any) -> None:
            if isinstance(answer, Refused):
                self.cloud.world.violated(f"a good webhook was refused: {answer.code}")
            if isinstance(answer, BaseException):
                pause = min(3_600.0, 5.0 * 2 ** min(attempts, 10)) * self.cloud.world.random.uniform(0.5, 1.5)
                self.cloud.world.after(pause, lambda: self._attempt(body, attempts + 1))
            else:
                self.sending -= 1

        self._deliver(body, self._signed(body, self.cloud.world.now), ended)

    def _replay(self, body: bytes) -> None:
        """Somebody plays back what they overheard ten minutes ago."""
        header = self._signed(body, self.cloud.world.now)
        self.cloud.world.after(600, lambda: self._deliver(body, header, self._must_be_refused))

    def _forge(self, event: dict[str, Any]) -> None:
        """Somebody without the secret tells of money."""
        payment = f"pi_forged_{len(self.forged)}"
        self.forged.add(payment)
        said = {"id": payment, "amount_received": 10**6, "currency": "gbp", "metadata": {}}
        body = json.dumps({**event, "id": f"evt_{payment}", "data": {"object": said}}).encode()
        header = f"t={int(self.cloud.world.now.timestamp())},v1={'0' * 64}"
        self._deliver(body, header, self._must_be_refused)

    def _must_be_refused(self, answer: Any) -> None:
        if not isinstance(answer, BaseException):
            self.cloud.world.violated("a forged or stale webhook was taken in")

    def _deliver(self, body: bytes, header: str, ended: Callable[[Any], None]) -> None:
        def receive(instance: Instance) -> Done[tuple[StoredEvent, ...]]:
            cause = Cause("webhook:stripe", DOOR, "")
            asked = stored_id("request", body.decode())
            call = Call(self.tenant, "partner:stripe", cause, "simulated", asked, TRACE, instance.clock.now())
            return instance.house.inbox.receive(call, RawEvent("stripe", body, {"stripe-signature": header}))

        self.cloud.serve(DOOR, receive, ended)

    def _signed(self, body: bytes, at: datetime) -> str:
        stamp = int(at.timestamp())
        signature = hmac.new(self.secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={stamp},v1={signature}"
