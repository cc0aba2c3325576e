"""Square's API: payments, refunds, disputes and payouts; a refund carries its idempotency key in its body.

Sources: Square's API reference and the types of Square's own library 46.0.0 (whose API version is pinned here); read
2026-11. Amounts are whole minor units. A payment's processing fees are often told only some time after it.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.money import Money, total
from shared.payments.model import Stage, Thing
from shared.payments.partners.api import Accepted, Named, RefundOrder, Truth
from shared.payments.partners.apis.speaking import (
    ApiKey,
    Ask,
    Request,
    about,
    json_body,
    not_askable,
    once,
    segment,
    settled,
    stage_of,
    understand,
)
from shared.payments.partners.reading import instant, minor, our_id, our_reference, text

NAME: Final = "square"
VERSION: Final = "2026-09-16"

_PAYMENT: Final[Mapping[str, Stage]] = {
    "PENDING": Stage.PENDING,
    "APPROVED": Stage.PENDING,
    "COMPLETED": Stage.SUCCEEDED,
    "CANCELED": Stage.FAILED,
    "FAILED": Stage.FAILED,
}
_REFUND: Final[Mapping[str, Stage]] = {
    "PENDING": Stage.PENDING,
    "COMPLETED": Stage.SUCCEEDED,
    "REJECTED": Stage.FAILED,
    "FAILED": Stage.FAILED,
}
_DISPUTE: Final[Mapping[str, Stage]] = {
    "EVIDENCE_REQUIRED": Stage.OPEN,
    "PROCESSING": Stage.OPEN,
    "WON": Stage.WON,
    "LOST": Stage.LOST,
    "ACCEPTED": Stage.LOST,
}
_PAYOUT: Final[Mapping[str, Stage]] = {"SENT": Stage.PENDING, "PAID": Stage.PAID, "FAILED": Stage.FAILED}


class SquareApi:
    """Square's API."""

    def truth(self, ask: Ask, key: ApiKey, named: Named) -> Truth:
        """How a payment, refund, dispute or payout stands."""
        family, read = named.thing.value, _READ[named.thing]
        reply = ask(Request("GET", f"/v2/{family}s/{segment(named.reference)}", _headers(key)))
        return understand(NAME, settled(NAME, reply, _code), lambda said: read(named, said[family]))

    def refund(self, ask: Ask, key: ApiKey, order: RefundOrder) -> Accepted:
        """Give back so much of a payment."""
        wanted = {
            "idempotency_key": once(order.key),
            "amount_money": {"amount": order.money.amount, "currency": order.money.currency},
            "payment_id": order.payment.reference,
        }
        headers = _headers(key) | {"content-type": "application/json"}
        said = settled(NAME, ask(Request("POST", "/v2/refunds", headers, json_body(wanted))), _code)
        return understand(NAME, said, lambda said: _accepted(said["refund"]))


def _headers(key: ApiKey) -> dict[str, str]:
    return {"authorization": f"Bearer {key.value}", "accept": "application/json", "square-version": VERSION}


def _code(said: Any) -> Any:
    return said["errors"][0]["code"]


def _payment(named: Named, said: Any) -> Truth:
    """With the tip: that is what was received."""
    about(named, said["id"])
    money, reference = _money(said["total_money"]), said.get("reference_id")
    return Truth(
        stage_of(_PAYMENT, said["status"]),
        money,
        instant(said["created_at"]),
        named.reference,
        _fees(said.get("processing_fee"), money.currency),
        our_id(reference),
        our_reference(reference),
    )


def _refund(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    stage, money = stage_of(_REFUND, said["status"]), _money(said["amount_money"])
    return Truth(stage, money, instant(said["created_at"]), text(said["payment_id"]))


def _dispute(named: Named, said: Any) -> Truth:
    about(named, said.get("id") or said["dispute_id"])
    if text(said["state"]).startswith("INQUIRY_"):  # it takes nothing
        raise not_askable()
    stage, money = stage_of(_DISPUTE, said["state"]), _money(said["amount_money"])
    return Truth(stage, money, instant(said["created_at"]), text(said["disputed_payment"]["payment_id"]))


def _payout(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    money = _money(said["amount_money"])
    fee = _fees(said.get("payout_fee"), money.currency)
    return Truth(stage_of(_PAYOUT, said["status"]), money, instant(said["created_at"]), fee=fee)


_READ: Final = {Thing.PAYMENT: _payment, Thing.REFUND: _refund, Thing.DISPUTE: _dispute, Thing.PAYOUT: _payout}


def _accepted(said: Any) -> Accepted:
    return Accepted(text(said["id"]), stage_of(_REFUND, said["status"]))


def _fees(fees: Any, currency: str) -> Money | None:
    parts = [fee["amount_money"] for fee in fees or ()]
    kept = total([Money(part["amount"], part["currency"]) for part in parts], currency)
    return kept if kept.amount > 0 else None


def _money(said: Any) -> Money:
    return minor(said["amount"], said["currency"])
