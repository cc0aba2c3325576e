"""Wise's wire format: transfers out of our account, amounts in major units."""

from decimal import Decimal
from typing import Final

from emulators.partner_apis.things import Answer, Asked, Things
from shared.money import minor_digits
from shared.payments.model import Thing

NAME: Final = "wise"


def answer(things: Things, asked: Asked) -> Answer:
    """What Wise answers."""
    known = None
    if asked.method == "GET" and len(asked.parts) == 2 and asked.parts[0] == "transfers":  # noqa: PLR2004 - kind and id
        known = things.find(NAME, Thing.PAYOUT, asked.parts[1])
    if known is None:
        return Answer(404, {"errors": [{"code": "not.found", "message": "as emulated"}]})
    value = Decimal(known.amount).scaleb(-minor_digits(known.currency))
    said = {
        "id": int(known.id),
        "status": known.status,
        "created": known.created_at[:19].replace("T", " "),
        "sourceCurrency": known.currency,
        "sourceValue": float(value),
        "targetCurrency": known.currency,
        "targetValue": float(value),
        "details": {"reference": ""},
        "hasActiveIssues": False,
    }
    return Answer(200, said | known.said)
