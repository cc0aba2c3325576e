"""What we ask of a partner's own API: the truth about a thing, what a payout is made of, and to give money back.

Nothing here is asked while a webhook is taken in: a partner that is slow or down slows only the tasks that ask it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.identity import TenantId
from shared.money import Money
from shared.payments.model import Stage, Thing
from shared.payments.payouts.model import Item


@dataclass(frozen=True, slots=True)
class Named:
    """One of a partner's things by the partner's own id, on one of our accounts with it."""

    tenant: TenantId
    partner: str
    account: str
    thing: Thing
    reference: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What a partner answers of a payment, refund, dispute or payout: how it stands now, and how much it is of.

    `payment` is the partner's id of the payment, of a payout none; `fee` is what the partner keeps in all, where it
    says; `invoice_id` and `number` are our invoice's, where the partner carries them back to us.
    """

    stage: Stage
    money: Money
    occurred_at: datetime
    payment: str = ""
    fee: Money | None = None
    invoice_id: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """So much of a payment to be given back; a partner that is given the same `key` twice does it once."""

    payment: Named
    money: Money
    key: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A refund as the partner took it on: its own id of it, and how it stands (`PENDING`, `SUCCEEDED`, `FAILED`)."""

    reference: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class PayoutItems:
    """At most PAYOUT_PAGE_ITEMS lines of a payout; `cursor` is where the next begin, empty after the last."""

    items: tuple[Item, ...]
    cursor: str


class PartnerApi(Protocol):
    """Partners' own APIs, every partner behind one door."""

    def truth(self, named: Named) -> Truth:
        """How a thing stands with its partner now.

        Raises:
            NotAskable: this partner has no way to ask this, or the tenant gave no key to it.
            PartnerRefused: the partner says no: there is no such thing, or the key is not good.
            Retryable: no answer in time, too many questions, or the partner is broken.
        """
        ...

    def payout_items(self, payout: Named, cursor: str) -> PayoutItems:
        """What a payout is made of, from `cursor` on, from the first line where it is empty.

        Raises:
            NotAskable, PartnerRefused, Retryable: as `truth`.
        """
        ...

    def refund(self, order: RefundOrder) -> Accepted:
        """Give money back; asked again under the same key, what it answered the first time.

        Raises:
            NotAskable, PartnerRefused, Retryable: as `truth`.
        """
        ...
