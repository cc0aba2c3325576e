"""Wise's API: a transfer out of our account.

Sources: Wise's API reference, "Transfers" (the fields and an example), "Tracking transfers" (the states) and "Incoming
Transfers"; read 2026-11. `sourceValue` is what was exchanged and sent, in major units of `sourceCurrency`; Wise's own
fee is not told with it. Times carry no offset and are taken for UTC.

What came in cannot be asked: `GET /incoming-transfers/{id}` is documented as not publicly available, and its fields are
not published. Nor is there a way to give money back.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.payments.model import Stage, Thing
from shared.payments.partners.api import Accepted, Named, RefundOrder, Truth
from shared.payments.partners.apis.speaking import (
    ApiKey,
    Ask,
    Request,
    about,
    not_askable,
    segment,
    settled,
    stage_of,
    understand,
)
from shared.payments.partners.reading import major, our_reference, text

NAME: Final = "wise"

_TRANSFER: Final[Mapping[str, Stage]] = {
    "incoming_payment_waiting": Stage.PENDING,
    "incoming_payment_initiated": Stage.PENDING,
    "processing": Stage.PENDING,
    "funds_converted": Stage.PENDING,
    "outgoing_payment_sent": Stage.PAID,
    "bounced_back": Stage.FAILED,
    "funds_refunded": Stage.FAILED,
    "charged_back": Stage.FAILED,
    "cancelled": Stage.FAILED,
}


class WiseApi:
    """Wise's API."""

    def truth(self, ask: Ask, key: ApiKey, named: Named) -> Truth:
        """How a transfer of ours stands."""
        if named.thing is not Thing.PAYOUT:
            raise not_askable()
        headers = {"authorization": f"Bearer {key.value}", "accept": "application/json"}
        reply = ask(Request("GET", f"/v1/transfers/{segment(named.reference)}", headers))
        return understand(NAME, settled(NAME, reply, _code), lambda said: _transfer(named, said))

    def refund(self, ask: Ask, key: ApiKey, order: RefundOrder) -> Accepted:
        """Wise has no such thing."""
        del ask, key, order
        raise not_askable()


def _code(said: Any) -> Any:
    return said["errors"][0]["code"] if "errors" in said else said["error"]


def _transfer(named: Named, said: Any) -> Truth:
    about(named, str(said["id"]))
    created = datetime.fromisoformat(text(said["created"]))
    made = created.replace(tzinfo=created.tzinfo or UTC).astimezone(UTC)
    details = said.get("details")
    return Truth(
        stage_of(_TRANSFER, said["status"]),
        major(said["sourceValue"], said["sourceCurrency"]),
        made,
        number=our_reference(details.get("reference") if isinstance(details, dict) else None),
    )
