"""Stripe's API: payment intents, charges, refunds, disputes and payouts; a refund is made under an Idempotency-Key.

Sources: Stripe's API reference, the objects of Stripe's own library 16.1.0 (whose API version is pinned here),
"Idempotent requests" and "Reporting categories"; read 2026-11. A connected account is named by the header
`Stripe-Account`. The fee is the one of the charge's balance transaction, which is expanded. What a payout is made of is
told of automatic ones only.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from shared.limits import PAYOUT_PAGE_ITEMS
from shared.money import Money
from shared.payments.model import Stage, Thing
from shared.payments.partners.api import Accepted, Named, PayoutItems, RefundOrder, Truth
from shared.payments.partners.apis.speaking import (
    ApiKey,
    Ask,
    Request,
    about,
    not_askable,
    once,
    onward,
    segment,
    settled,
    stage_of,
    understand,
)
from shared.payments.partners.reading import minor, our_id, seconds, signed_minor, text
from shared.payments.payouts.model import ABOUT_SOMETHING, Item, ItemKind

NAME: Final = "stripe"
VERSION: Final = "2026-10-28.endive"
CHARGES: Final = ("ch_", "py_")
"""How the id of a payment begins that is known by its charge."""

_FEE_OF_CHARGE: Final = urlencode({"expand[]": "balance_transaction"})
_FEE_OF_INTENT: Final = urlencode({"expand[]": "latest_charge.balance_transaction"})

_INTENT: Final[Mapping[str, Stage]] = {
    "processing": Stage.PENDING,
    "requires_action": Stage.PENDING,
    "requires_capture": Stage.PENDING,
    "requires_confirmation": Stage.PENDING,
    "succeeded": Stage.SUCCEEDED,
    "canceled": Stage.FAILED,
}
_CHARGE: Final[Mapping[str, Stage]] = {
    "pending": Stage.PENDING,
    "succeeded": Stage.SUCCEEDED,
    "failed": Stage.FAILED,
}
_REFUND: Final[Mapping[str, Stage]] = {
    "pending": Stage.PENDING,
    "requires_action": Stage.PENDING,
    "succeeded": Stage.SUCCEEDED,
    "failed": Stage.FAILED,
    "canceled": Stage.FAILED,
}
_DISPUTE: Final[Mapping[str, Stage]] = {
    "needs_response": Stage.OPEN,
    "under_review": Stage.OPEN,
    "appeal_needs_response": Stage.OPEN,
    "appeal_under_review": Stage.OPEN,
    "won": Stage.WON,
    "lost": Stage.LOST,
}
_PAYOUT: Final[Mapping[str, Stage]] = {
    "pending": Stage.PENDING,
    "in_transit": Stage.PENDING,
    "paid": Stage.PAID,
    "failed": Stage.FAILED,
    "canceled": Stage.FAILED,
}


_CATEGORIES: Final[Mapping[str, ItemKind]] = {
    "charge": ItemKind.PAYMENT,
    "charge_failure": ItemKind.REVERSAL,
    "refund": ItemKind.REFUND,
    "refund_failure": ItemKind.REFUND,
    "dispute": ItemKind.DISPUTE,
    "dispute_reversal": ItemKind.DISPUTE,
    "fee": ItemKind.FEE,
    "tax": ItemKind.FEE,
    "risk_reserved_funds": ItemKind.RESERVE,
}
_BY_PAYMENT: Final = frozenset({ItemKind.PAYMENT, ItemKind.REVERSAL})


class StripeApi:
    """Stripe's API."""

    def truth(self, ask: Ask, key: ApiKey, named: Named) -> Truth:
        """How a payment, refund, dispute or payout stands."""
        path, read = _question(named)
        reply = ask(Request("GET", path, _headers(key, named.account)))
        return understand(NAME, settled(NAME, reply, _code), lambda said: read(named, said))

    def payout_items(self, ask: Ask, key: ApiKey, payout: Named, cursor: str) -> PayoutItems:
        """Its balance transactions, from the one after `cursor` on."""
        wanted = {"payout": payout.reference, "limit": str(PAYOUT_PAGE_ITEMS), "expand[]": "data.source"}
        query = urlencode(wanted | ({"starting_after": cursor} if cursor else {}))
        reply = ask(Request("GET", f"/v1/balance_transactions?{query}", _headers(key, payout.account)))
        return understand(NAME, settled(NAME, reply, _code), lambda said: _lines(said, payout.reference, cursor))

    def refund(self, ask: Ask, key: ApiKey, order: RefundOrder) -> Accepted:
        """Give back so much of a payment intent, or of a charge."""
        payment = order.payment
        kind = "charge" if payment.reference.startswith(CHARGES) else "payment_intent"
        headers = _headers(key, payment.account) | {
            "content-type": "application/x-www-form-urlencoded",
            "idempotency-key": once(order.key),
        }
        body = urlencode({kind: payment.reference, "amount": order.money.amount}).encode()
        said = settled(NAME, ask(Request("POST", "/v1/refunds", headers, body)), _code)
        return understand(NAME, said, lambda said: Accepted(text(said["id"]), stage_of(_REFUND, said["status"])))


def _headers(key: ApiKey, account: str) -> dict[str, str]:
    if not account.isascii():  # no header can say it, and Stripe has none such
        raise not_askable()
    headers = {"authorization": f"Bearer {key.value}", "stripe-version": VERSION}
    return headers | {"stripe-account": account} if account else headers


def _question(named: Named) -> tuple[str, Callable[[Named, Any], Truth]]:
    reference = segment(named.reference)
    match named.thing:
        case Thing.PAYMENT if named.reference.startswith(CHARGES):
            return f"/v1/charges/{reference}?{_FEE_OF_CHARGE}", _charge
        case Thing.PAYMENT:
            return f"/v1/payment_intents/{reference}?{_FEE_OF_INTENT}", _intent
        case Thing.REFUND:
            return f"/v1/refunds/{reference}", _refund
        case Thing.DISPUTE:
            return f"/v1/disputes/{reference}", _dispute
        case Thing.PAYOUT:
            return f"/v1/payouts/{reference}", _payout


def _code(said: Any) -> Any:
    return said["error"].get("code") or said["error"]["type"]


def _intent(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    status = text(said["status"])
    if status == "requires_payment_method":  # not begun yet, or tried in vain
        stage = Stage.FAILED if said.get("last_payment_error") else Stage.PENDING
    else:
        stage = stage_of(_INTENT, status)
    money = minor(said["amount_received" if stage is Stage.SUCCEEDED else "amount"], said["currency"])
    fee = _fee(said.get("latest_charge"))
    return Truth(stage, money, seconds(said["created"]), named.reference, fee, _invoice_id(said))


def _charge(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    stage = stage_of(_CHARGE, said["status"])
    money = minor(said["amount_captured" if stage is Stage.SUCCEEDED else "amount"], said["currency"])
    return Truth(stage, money, seconds(said["created"]), named.reference, _fee(said), _invoice_id(said))


def _refund(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    payment = said.get("payment_intent") or said["charge"]
    money, stage = minor(said["amount"], said["currency"]), stage_of(_REFUND, said["status"])
    return Truth(stage, money, seconds(said["created"]), text(payment))


def _dispute(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    if text(said["status"]).startswith("warning_"):  # an inquiry takes nothing
        raise not_askable()
    payment = said.get("payment_intent") or said["charge"]
    money, stage = minor(said["amount"], said["currency"]), stage_of(_DISPUTE, said["status"])
    return Truth(stage, money, seconds(said["created"]), text(payment))


def _payout(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    money, stage = minor(said["amount"], said["currency"]), stage_of(_PAYOUT, said["status"])
    return Truth(stage, money, seconds(said["created"]))


def _lines(said: Any, payout: str, before: str) -> PayoutItems:
    rows = said["data"]
    items = tuple(_line(row) for row in rows if not _is_the_payout(row, payout))
    return PayoutItems(items, onward(text(rows[-1]["id"]), before) if said["has_more"] is True else "")


def _is_the_payout(row: Any, payout: str) -> bool:
    """Whether a line is the payout itself, or its own return; what an earlier one that failed brought back is money."""
    category = text(row["reporting_category"])
    return category == "payout" or (category == "payout_reversal" and text(row["source"]["id"]) == payout)


def _line(row: Any) -> Item:
    kind = _CATEGORIES.get(text(row["reporting_category"]), ItemKind.ADJUSTMENT)
    source, currency = row["source"], row["currency"]
    reference = ""
    if kind in ABOUT_SOMETHING:
        reference = text((kind in _BY_PAYMENT and source.get("payment_intent")) or source["id"])
    return Item(kind, reference, signed_minor(row["amount"], currency), signed_minor(row["fee"], currency))


def _fee(charge: Any) -> Money | None:
    """What Stripe keeps, where the charge's balance transaction came with it."""
    told = charge.get("balance_transaction") if isinstance(charge, dict) else None
    return minor(told["fee"], told["currency"]) if isinstance(told, dict) and told["fee"] else None


def _invoice_id(said: Any) -> str:
    metadata = said.get("metadata")
    return our_id(metadata.get("invoice_id")) if isinstance(metadata, dict) else ""
