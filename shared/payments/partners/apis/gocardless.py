"""GoCardless's API: payments, refunds and payouts; a chargeback is asked of its payment.

Sources: GoCardless's API reference (payments, refunds, payouts, "Idempotency keys"), the services of GoCardless's own
library 3.22.0, and the statuses that the reference lists; read 2026-11. Amounts are whole minor units. It wants a
refund's sum together with all refunds before it, as a check, so the payment is asked first; a key that was used before
is answered with the refund that it made. A payment says nothing of fees: what GoCardless keeps is told with a payout,
whose lines ("Payout items") have tenths of a minor unit, and are rounded only when they are added up.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from shared.limits import PAYOUT_PAGE_ITEMS
from shared.money import Money
from shared.payments.model import Stage, Thing
from shared.payments.partners.api import Accepted, Named, PayoutItems, RefundOrder, Truth
from shared.payments.partners.apis.speaking import (
    ApiKey,
    Ask,
    Reply,
    Request,
    about,
    code_of,
    json_body,
    once,
    onward,
    segment,
    settled,
    stage_of,
    understand,
)
from shared.payments.partners.reading import instant, minor, our_id, our_reference, text, whole
from shared.payments.payouts.model import ABOUT_SOMETHING, Item, ItemKind

NAME: Final = "gocardless"
VERSION: Final = "2015-07-06"
USED: Final = "idempotent_creation_conflict"

PAYMENT: Final[Mapping[str, Stage]] = {
    "pending_customer_approval": Stage.PENDING,
    "pending_submission": Stage.PENDING,
    "submitted": Stage.PENDING,
    "confirmed": Stage.SUCCEEDED,
    "paid_out": Stage.SUCCEEDED,
    "charged_back": Stage.SUCCEEDED,  # it had, and the chargeback is a thing of its own
    "cancelled": Stage.FAILED,
    "customer_approval_denied": Stage.FAILED,
    "failed": Stage.FAILED,
}
_REFUND: Final[Mapping[str, Stage]] = {
    "created": Stage.PENDING,
    "pending_submission": Stage.PENDING,
    "submitted": Stage.PENDING,
    "paid": Stage.SUCCEEDED,
    "cancelled": Stage.FAILED,
    "bounced": Stage.FAILED,
    "funds_returned": Stage.FAILED,
}
_PAYOUT: Final[Mapping[str, Stage]] = {"pending": Stage.PENDING, "paid": Stage.PAID, "bounced": Stage.FAILED}


_LINES: Final[Mapping[str, ItemKind]] = {
    "payment_paid_out": ItemKind.PAYMENT,
    "payment_failed": ItemKind.REVERSAL,
    "payment_charged_back": ItemKind.DISPUTE,
    "payment_refunded": ItemKind.REFUND,
    "refund": ItemKind.REFUND,
    "refund_funds_returned": ItemKind.REFUND,
    "gocardless_fee": ItemKind.FEE,
    "app_fee": ItemKind.FEE,
    "surcharge_fee": ItemKind.FEE,
}
_TENTHS: Final = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]))?")
_CURSOR: Final = re.compile(r"([A-Za-z0-9_-]{1,200})~(-?[0-9])")


class GoCardlessApi:
    """GoCardless's API."""

    def truth(self, ask: Ask, key: ApiKey, named: Named) -> Truth:
        """How a payment, chargeback, refund or payout stands."""
        resource, read = _QUESTIONS[named.thing]
        reply = ask(Request("GET", f"/{resource}/{segment(named.reference)}", _headers(key)))
        return understand(NAME, settled(NAME, reply, _code), lambda said: read(named, said[resource]))

    def payout_items(self, ask: Ask, key: ApiKey, payout: Named, cursor: str) -> PayoutItems:
        """Its payout items; `cursor` is GoCardless's own, and what the lines before it left to be rounded."""
        after, left = _begins(cursor)
        wanted = {"payout": payout.reference, "limit": str(PAYOUT_PAGE_ITEMS)} | ({"after": after} if after else {})
        path = f"/payouts/{segment(payout.reference)}"
        of = understand(NAME, settled(NAME, ask(Request("GET", path, _headers(key))), _code), _currency)
        reply = ask(Request("GET", f"/payout_items?{urlencode(wanted)}", _headers(key)))
        return understand(NAME, settled(NAME, reply, _code), lambda said: _lines(said, of, (after, left)))

    def refund(self, ask: Ask, key: ApiKey, order: RefundOrder) -> Accepted:
        """Give back so much of a payment."""
        payment, headers = order.payment, _headers(key)
        reply = ask(Request("GET", f"/payments/{segment(payment.reference)}", headers))
        before = understand(NAME, settled(NAME, reply, _code), lambda said: _refunded(payment, said["payments"]))
        wanted = {
            "amount": order.money.amount,
            "total_amount_confirmation": before + order.money.amount,
            "links": {"payment": payment.reference},
        }
        posted = headers | {"content-type": "application/json", "idempotency-key": once(order.key)}
        reply = ask(Request("POST", "/refunds", posted, json_body({"refunds": wanted})))
        if made := _made_before(reply):
            reply = ask(Request("GET", f"/refunds/{segment(made)}", headers))
        return understand(NAME, settled(NAME, reply, _code), lambda said: _accepted(said["refunds"]))


def _headers(key: ApiKey) -> dict[str, str]:
    return {
        "authorization": f"Bearer {key.value}",
        "accept": "application/json",
        "gocardless-version": VERSION,
    }


def _code(said: Any) -> Any:
    error = said["error"]
    return error["errors"][0]["reason"] if error.get("errors") and "reason" in error["errors"][0] else error["type"]


def _made_before(reply: Reply) -> str:
    """The refund that the same key made before, where the answer says that there is one."""
    if reply.is_success or code_of(reply.said, _code) != USED:
        return ""
    return understand(
        NAME, reply.said, lambda said: text(said["error"]["errors"][0]["links"]["conflicting_resource_id"])
    )


def _payment(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    stage, money = stage_of(PAYMENT, said["status"]), minor(said["amount"], said["currency"])
    return Truth(
        stage,
        money,
        instant(said["created_at"]),
        named.reference,
        invoice_id=_invoice_id(said),
        number=our_reference(said.get("reference")) or our_reference(said.get("description")),
    )


def _dispute(named: Named, said: Any) -> Truth:
    """A chargeback takes all of its payment; once it is over, the payment stands as if there had been none."""
    about(named, said["id"])
    stage_of(PAYMENT, said["status"])
    stage = Stage.OPEN if said["status"] == "charged_back" else Stage.WON
    return Truth(stage, minor(said["amount"], said["currency"]), instant(said["created_at"]), named.reference)


def _refund(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    stage, money = _stage_of_refund(said), minor(said["amount"], said["currency"])
    payment = said["links"].get("payment")  # a refund of a mandate has none
    return Truth(stage, money, instant(said["created_at"]), text(payment) if payment else "")


def _payout(named: Named, said: Any) -> Truth:
    about(named, said["id"])
    money, kept = minor(said["amount"], said["currency"]), whole(said.get("deducted_fees") or 0)
    fee = Money(kept, money.currency) if kept > 0 else None
    return Truth(stage_of(_PAYOUT, said["status"]), money, instant(said["created_at"]), fee=fee)


_QUESTIONS: Final = {
    Thing.PAYMENT: ("payments", _payment),
    Thing.DISPUTE: ("payments", _dispute),
    Thing.REFUND: ("refunds", _refund),
    Thing.PAYOUT: ("payouts", _payout),
}
"""Where each thing is asked, and how its answer is read."""


def _refunded(payment: Named, said: Any) -> int:
    about(payment, said["id"])
    return whole(said["amount_refunded"])


def _accepted(said: Any) -> Accepted:
    return Accepted(text(said["id"]), _stage_of_refund(said))


def _stage_of_refund(said: Any) -> Stage:
    """Some schemes tell no status of a refund."""
    status = said.get("status")
    return stage_of(_REFUND, status) if status is not None else Stage.PENDING


def _begins(cursor: str) -> tuple[str, int]:
    found = _CURSOR.fullmatch(cursor)
    return (found[1], int(found[2])) if found else ("", 0)


def _currency(said: Any) -> str:
    return minor(said["payouts"]["amount"], said["payouts"]["currency"]).currency


def _lines(said: Any, currency: str, begins: tuple[str, int]) -> PayoutItems:
    """Whole amounts stay as they are; tenths add up from line to line until they make a minor unit."""
    items, (before, left) = list[Item](), begins
    for row in said["payout_items"]:
        amount = _tenths(row["amount"])
        if amount % 10:
            amount += left
            left = (amount + 5) % 10 - 5
            amount -= left
        kind = _LINES.get(text(row["type"]), ItemKind.ADJUSTMENT)
        items.append(Item(kind, _of(kind, row["links"]), Money(amount // 10, currency), Money(0, currency)))
    after = said["meta"]["cursors"]["after"]
    return PayoutItems(tuple(items), f"{onward(text(after), before)}~{left}" if after else "")


def _tenths(amount: Any) -> int:
    """An amount with at most one decimal, written as text.

    Raises:
        ValueError: it is none.
    """
    found = _TENTHS.fullmatch(text(amount))
    if found is None:
        message = "a line's amount is no number of tenths"
        raise ValueError(message)
    size = int(found[2]) * 10 + int(found[3] or 0)
    return -size if found[1] else size


def _of(kind: ItemKind, links: Any) -> str:
    """What a line is about; a chargeback has its payment's id."""
    if kind not in ABOUT_SOMETHING:
        return ""
    return text((kind is ItemKind.REFUND and links.get("refund")) or links["payment"])


def _invoice_id(said: Any) -> str:
    metadata = said.get("metadata")
    return our_id(metadata.get("invoice_id")) if isinstance(metadata, dict) else ""
