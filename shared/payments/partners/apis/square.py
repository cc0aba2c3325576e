"""Square's API: payments, refunds, disputes and payouts; a refund carries its idempotency key in its body.

Sources: Square's API reference and the types of Square's own library 46.0.0 (whose API version is pinned here); read
2026-11. Amounts are whole minor units. A payment's processing fees are often told only some time after it.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from shared.limits import PAYOUT_PAGE_ITEMS
from shared.money import Money, total
from shared.payments.model import Stage, Thing
from shared.payments.partners.api import Accepted, Named, PayoutItems, RefundOrder, Truth
from shared.payments.partners.apis.speaking import (
    ApiKey,
    Ask,
    Request,
    about,
    json_body,
    not_askable,
    once,
    onward,
    segment,
    settled,
    stage_of,
    understand,
)
from shared.payments.partners.reading import instant, minor, our_id, our_reference, signed_minor, text
from shared.payments.payouts.model import Item, ItemKind

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


_ABOUT: Final[Mapping[str, tuple[ItemKind, str, str]]] = {
    "CHARGE": (ItemKind.PAYMENT, "type_charge_details", "payment_id"),
    "REFUND": (ItemKind.REFUND, "type_refund_details", "refund_id"),
    "DISPUTE": (ItemKind.DISPUTE, "type_dispute_details", "dispute_id"),
    "OPEN_DISPUTE": (ItemKind.DISPUTE, "type_open_dispute_details", "dispute_id"),
}
"""Payout entries that are about something: what, and where its id stands."""
_HELD: Final = frozenset({"HOLD_ADJUSTMENT", "RELEASE_ADJUSTMENT", "RESERVE_HOLD", "RESERVE_RELEASE"})
_A_FEE: Final = re.compile(r"(.*_)?FEE(_.*)?")


class SquareApi:
    """Square's API."""

    def truth(self, ask: Ask, key: ApiKey, named: Named) -> Truth:
        """How a payment, refund, dispute or payout stands."""
        family, read = named.thing.value, _READ[named.thing]
        reply = ask(Request("GET", f"/v2/{family}s/{segment(named.reference)}", _headers(key)))
        return understand(NAME, settled(NAME, reply, _code), lambda said: read(named, said[family]))

    def payout_items(self, ask: Ask, key: ApiKey, payout: Named, cursor: str) -> PayoutItems:
        """Its payout entries."""
        query = urlencode({"limit": str(PAYOUT_PAGE_ITEMS)} | ({"cursor": cursor} if cursor else {}))
        path = f"/v2/payouts/{segment(payout.reference)}/payout-entries?{query}"
        reply = ask(Request("GET", path, _headers(key)))
        return understand(NAME, settled(NAME, reply, _code), lambda said: _lines(said, cursor))

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


def _lines(said: Any, before: str) -> PayoutItems:
    entries, cursor = said.get("payout_entries") or (), said.get("cursor")
    return PayoutItems(tuple(map(_line, entries)), onward(text(cursor), before) if cursor else "")


def _line(entry: Any) -> Item:
    """The fee is what the net lacks of the gross, whatever sign Square gives it."""
    name = text(entry["type"])
    gross, net = (signed_minor(entry[part]["amount"], entry[part]["currency"]) for part in _AMOUNTS)
    if name in _ABOUT:
        kind, details, identity = _ABOUT[name]
        return Item(kind, text(entry[details][identity]), gross, gross - net)
    if name in _HELD:
        return Item(ItemKind.RESERVE, "", gross, gross - net)
    return Item(ItemKind.FEE if _A_FEE.fullmatch(name) else ItemKind.ADJUSTMENT, "", gross, gross - net)


_AMOUNTS: Final = ("gross_amount_money", "net_amount_money")


def _accepted(said: Any) -> Accepted:
    return Accepted(text(said["id"]), stage_of(_REFUND, said["status"]))


def _fees(fees: Any, currency: str) -> Money | None:
    parts = [fee["amount_money"] for fee in fees or ()]
    kept = total([Money(part["amount"], part["currency"]) for part in parts], currency)
    return kept if kept.amount > 0 else None


def _money(said: Any) -> Money:
    return minor(said["amount"], said["currency"])
