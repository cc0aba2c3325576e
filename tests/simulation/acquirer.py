"""Adyen as it behaves: many payments' items in a delivery, each signed by itself, out of order, twice, half forged."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from shared.calls import Call, Done
from shared.faults import Refused
from shared.identity import Cause, TenantId, stored_id
from shared.payments.model import StoredEvent
from shared.payments.refusals import BadSignature
from shared.payments.use_cases.inbox import RawEvent
from tests.simulation.cloud import Cloud, Instance
from tests.simulation.doors import TRACE
from tests.simulation.faults import Fault
from tests.simulation.partner import DOOR
from tests.simulation.world import CANARY

ACCOUNTS: Final = ("AcmeUK", "AcmeDE")
"""Our accounts with the partner; it gives the same references on both."""

ROUNDS: Final = ("CHARGEBACK", "CHARGEBACK_REVERSED", "SECOND_CHARGEBACK", "PREARBITRATION_WON")
"""What may be decided of a dispute, one after another; the last one stands."""

FORGED: Final = "FORGED"
KEY: Final = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"


@dataclass(frozen=True)
class Item:
    """One thing that happened at the partner, told once or more."""

    account: str
    reference: str
    code: str
    success: str
    amount: int
    original: str = ""
    invoice: str = ""

    @property
    def event(self) -> tuple[str, str]:
        """What names it: the account, and the event's id within it."""
        return self.account, f"{self.reference}:{self.code}:{self.success}"

    @property
    def payment(self) -> tuple[str, str]:
        """The payment that it is about."""
        return self.account, self.original or self.reference


@dataclass
class Acquirer:
    """The partner of one tenant that sends batches."""

    cloud: Cloud
    tenant: TenantId
    told: dict[tuple[str, str], Item] = field(default_factory=dict)
    sending: int = 0
    _pending: list[Item] = field(default_factory=list)
    _payments: int = 0

    def __post_init__(self) -> None:
        self.cloud.secrets.live[f"webhook-{self.tenant}-adyen"] = (KEY.encode(),)

    # --- what happens at the partner

    def paid(self, amount: int, invoice: str) -> None:
        """Somebody pays, names our invoice or not, and some of it is taken back one way or another."""
        random, number = self.cloud.world.random, self._payments
        self._payments += 1
        account, psp = ACCOUNTS[number % 2], f"PSP{number // 2}"
        if random.random() < 0.2:
            self._happens(Item(account, f"{psp}X", "AUTHORISATION", "false", amount, invoice=invoice))
        self._happens(Item(account, psp, "AUTHORISATION", "true", amount, invoice=invoice))
        refunds, reversal, dispute = self._refunds, self._reversal, self._dispute
        lives = ((refunds,), (reversal,), (refunds, reversal), (dispute,), (dispute,), ())
        for life in random.choice(lives):
            life(account, psp, amount)

    def _refunds(self, account: str, psp: str, amount: int) -> None:
        random = self.cloud.world.random
        first = random.randint(1, amount)
        for number, part in enumerate((first, amount - first)):
            if part and random.random() < 0.8:
                code = random.choice(("REFUND", "REFUND", "CANCEL_OR_REFUND"))
                self._happens(Item(account, f"{psp}R{number}", code, "true", part, psp))
                if random.random() < 0.4:
                    self._happens(Item(account, f"{psp}R{number}", "REFUND_FAILED", "true", part, psp))

    def _reversal(self, account: str, psp: str, amount: int) -> None:
        for number in range(self.cloud.world.random.choice((1, 1, 2))):
            part = self.cloud.world.random.randint(1, amount)
            self._happens(Item(account, f"{psp}C{number}", "CAPTURE_FAILED", "true", part, psp))

    def _dispute(self, account: str, psp: str, amount: int) -> None:
        random = self.cloud.world.random
        part = random.randint(1, amount)
        self._happens(Item(account, f"{psp}D", "CHARGEBACK", "true", part, psp))
        for code in ROUNDS[1:]:
            if random.random() < 2 / 3:
                self._happens(Item(account, f"{psp}D", code, "true", part, psp))

    # --- how it tells us

    def _happens(self, item: Item) -> None:
        """It goes out with the next delivery, or with the one after."""
        world = self.cloud.world
        self.told[item.event] = item
        delay = world.random.expovariate(1 / 3.0)
        if world.faults.strike(DOOR, Fault.WEBHOOK_LATE):
            delay += world.random.choice((60.0, 3_600.0, 20_000.0))
        self.sending += 1
        world.after(delay, lambda: self._collect(item))
        if world.faults.strike(DOOR, Fault.WEBHOOK_TWICE):
            self.sending += 1
            world.after(delay + world.random.choice((0.0, 30.0, 7_200.0)), lambda: self._collect(item))

    def _collect(self, item: Item) -> None:
        self._pending.append(item)
        if len(self._pending) == 1:
            self.cloud.world.after(self.cloud.world.random.expovariate(1 / 2.0), self._flush)

    def _flush(self) -> None:
        """All that is pending, in any order, in one delivery."""
        world = self.cloud.world
        items, self._pending = self._pending, []
        world.random.shuffle(items)
        if world.faults.strike(DOOR, Fault.WEBHOOK_HALF_FORGED):
            self._forge(items)
        self._attempt(items, 0)

    def _attempt(self, items: list[Item], attempts: int) -> None:
        def ended(answer: Any) -> None:
            if isinstance(answer, Refused):
                self.cloud.world.violated(f"a good delivery was refused: {answer.code}")
            if isinstance(answer, BaseException):
                pause = min(3_600.0, 5.0 * 2 ** min(attempts, 10)) * self.cloud.world.random.uniform(0.5, 1.5)
                self.cloud.world.after(pause, lambda: self._attempt(items, attempts + 1))
            else:
                self.sending -= len(items)

        self._deliver(_body(map(_signed, items)), ended)

    def _forge(self, items: list[Item]) -> None:
        """Somebody puts an item of their own among ours, with the signature of one of them."""

        def ended(answer: Any) -> None:
            if not isinstance(answer, BaseException):
                self.cloud.world.violated("a half forged delivery was acknowledged")
            elif isinstance(answer, Refused) and not isinstance(answer, BadSignature):
                self.cloud.world.violated(f"a half forged delivery was refused as {answer.code}")

        signed = [_signed(item) for item in items]
        forged = _signed(items[0])
        forged["NotificationRequestItem"] |= {"pspReference": FORGED, "eventCode": "AUTHORISATION", "success": "true"}
        signed.insert(self.cloud.world.random.randint(0, len(signed)), forged)
        self._deliver(_body(signed), ended)

    def _deliver(self, body: bytes, ended: Any) -> None:
        def receive(instance: Instance) -> Done[tuple[StoredEvent, ...]]:
            asked = stored_id("request", body.decode())
            cause = Cause("webhook:adyen", DOOR, "")
            call = Call(self.tenant, "partner:adyen", cause, "simulated", asked, TRACE, instance.clock.now())
            return instance.house.inbox.receive(call, RawEvent("adyen", body, {}))

        self.cloud.serve(DOOR, receive, ended)


def _body(items: Iterable[Any]) -> bytes:
    return json.dumps({"live": "false", "notificationItems": list(items)}).encode()


def _signed(item: Item) -> dict[str, Any]:
    parts = (
        item.reference,
        item.original,
        item.account,
        item.invoice,
        str(item.amount),
        "GBP",
        item.code,
        item.success,
    )
    made = hmac.new(bytes.fromhex(KEY), ":".join(parts).encode(), hashlib.sha256).digest()
    said: dict[str, Any] = {
        "pspReference": item.reference,
        "merchantAccountCode": item.account,
        "merchantReference": item.invoice,
        "amount": {"value": item.amount, "currency": "GBP"},
        "eventCode": item.code,
        "success": item.success,
        "reason": CANARY,
        "additionalData": {"hmacSignature": base64.b64encode(made).decode(), "shopperName": CANARY},
    }
    if item.original:
        said["originalReference"] = item.original
    return {"NotificationRequestItem": said}
