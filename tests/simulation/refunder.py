"""A partner's own API as it behaves: refunds made once under a key, told of later, refused, lost on the way."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from shared.faults import Retryable
from shared.identity import TenantId
from shared.payments.model import Stage
from shared.payments.partners.api import Accepted, Named, PayoutItems, RefundOrder, Truth
from shared.payments.refusals import NotAskable, PartnerRefused
from tests.simulation.world import World

SLOW: Final = 0.3
"""How often a partner takes its time with an answer."""


@dataclass(frozen=True)
class Made:
    """A refund that the partner has made."""

    order: RefundOrder
    reference: str
    stage: Stage


@dataclass
class Refunder:
    """The port `PartnerApi` with a memory: what `holds` says of a payment is what can still go back of it."""

    now: Callable[[], datetime]
    holds: Callable[[str], int | None] = lambda _: None
    begins_as: Callable[[], Stage] = lambda: Stage.PENDING
    told: Callable[[Made], None] = lambda _: None
    """Hears of each refund that is made: from here the partner's webhooks go out."""
    by_key: dict[str, Made] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Keys in the order that they were asked under, again or not."""
    refuses: str = ""
    """The code that every new refund is refused with."""
    silent: int = 0
    """So many questions go unanswered, and are not heard."""
    deaf: int = 0
    """So many are heard and done, and their answers are lost."""

    def refund(self, order: RefundOrder) -> Accepted:
        """See the port."""
        self.asked.append(order.key)
        if self.silent:
            self.silent -= 1
            raise _no_answer()
        made = self.by_key.get(order.key) or self._make(order)
        if self.deaf:
            self.deaf -= 1
            raise _no_answer()
        return Accepted(made.reference, made.stage)

    def truth(self, named: Named) -> Truth:
        """See the port: of refunds."""
        if self.silent:
            self.silent -= 1
            raise _no_answer()
        made = next((one for one in self.by_key.values() if one.reference == named.reference), None)
        if made is None:
            code = "no_such_refund"
            raise _says_no(code)
        return Truth(made.stage, made.order.money, self.now(), payment=made.order.payment.reference)

    def payout_items(self, payout: Named, cursor: str) -> PayoutItems:
        """See the port: it says that in files only."""
        message = "told in a file"
        raise NotAskable(message, detail={"payout": payout.reference, "cursor": cursor})

    def ends(self, reference: str, stage: Stage) -> None:
        """What becomes of a refund."""
        key = next(key for key, made in self.by_key.items() if made.reference == reference)
        self.by_key[key] = replace(self.by_key[key], stage=stage)

    def gone(self, payment: str) -> int:
        """How much of a payment went back by our orders, what failed not counted."""
        return sum(
            made.order.money.amount
            for made in self.by_key.values()
            if made.order.payment.reference == payment and made.stage is not Stage.FAILED
        )

    def _make(self, order: RefundOrder) -> Made:
        held, payment = self.holds(order.payment.reference), order.payment.reference
        if self.refuses or (held is not None and order.money.amount > held):
            raise _says_no(self.refuses or "charge_already_refunded")
        made = Made(order, f"re_{len(self.by_key)}_{payment}", self.begins_as())
        self.by_key[order.key] = made
        self.told(made)
        return made


def _no_answer() -> Retryable:
    return Retryable("the partner did not answer")


def _says_no(code: str) -> PartnerRefused:
    return PartnerRefused("the partner says no", field="partner", detail={"code": code, "status": 400})


@dataclass
class AskedOverTheWire:
    """Every tenant's partner as the port `PartnerApi`: questions and answers get lost, come late or twice."""

    world: World
    partners: dict[TenantId, Refunder]

    def refund(self, order: RefundOrder) -> Accepted:
        """See the port."""
        return self.world.call("partner", "CreateRefund", lambda: self._made(order), _no_answer)

    def truth(self, named: Named) -> Truth:
        """See the port."""
        return self.world.call("partner", "GetRefund", lambda: self.partners[named.tenant].truth(named), _no_answer)

    def payout_items(self, payout: Named, cursor: str) -> PayoutItems:
        """See the port."""
        return self.partners[payout.tenant].payout_items(payout, cursor)

    def _made(self, order: RefundOrder) -> Accepted:
        """The refund is made; now and then its webhooks are quicker than the answer."""
        accepted = self.partners[order.payment.tenant].refund(order)
        if self.world.random.random() < SLOW:
            self.world.wait(self.world.random.uniform(1.0, 15.0))
        return accepted
