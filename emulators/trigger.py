"""Partners' events on request: truly signed, posted to the local doors, and followed until they came to something.

What an event is about is told first where nothing is known of it: a dispute's payment, a failing refund's refund.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import requests

from emulators.here import Here
from emulators.partner_apis.things import Known
from emulators.partners import PARTNERS
from emulators.partners.keys import signing_secret
from emulators.partners.telling import Happening, in_words, worded
from emulators.processes import CloudFault
from shared.cli.client import Client
from shared.identity import Ids, SystemIds, TenantId
from shared.payments.model import EventKind, PartnerEvent, Thing
from shared.payments.partners import partner_named
from shared.payments.partners.secrets import live_secrets
from shared.payments.records import event_cause

SECONDS: Final = 30.0
"""How long one delivery may take, and how long an event is followed, on the machine's clock."""
LOOK_SECONDS: Final = 0.2
PAGE: Final = 100

_PAYMENT: Final = (EventKind.PAYMENT_SUCCEEDED,)
BEFORE: Final[Mapping[EventKind, tuple[EventKind, ...]]] = {
    EventKind.PAYMENT_REVERSED: _PAYMENT,
    EventKind.REFUND_SUCCEEDED: _PAYMENT,
    EventKind.REFUND_FAILED: (*_PAYMENT, EventKind.REFUND_SUCCEEDED),
    EventKind.DISPUTE_OPENED: _PAYMENT,
    EventKind.DISPUTE_WON: (*_PAYMENT, EventKind.DISPUTE_OPENED),
    EventKind.DISPUTE_LOST: (*_PAYMENT, EventKind.DISPUTE_OPENED),
    EventKind.PAYOUT_FAILED: (EventKind.PAYOUT_PAID,),
}
"""What comes before an event of each kind in life."""

_OF_A_PAYMENT: Final = "payment"
_OF_NO_PAYMENT: Final = "payout"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an event that was told; `state` is as the inbox has it."""

    partner: str
    type: str
    event_id: str
    payment: str
    object: str
    state: str
    refused: str | None
    entry_id: str | None


def kind_named(word: str) -> EventKind:
    """The kind that a word like `payment.succeeded` stands for.

    Raises:
        CloudFault: none.
    """
    words = {in_words(kind): kind for kind in kinds_told()}
    if word in words:
        return words[word]
    message = f"no event is called {word}: `daybook trigger --list` shows what partners tell"
    raise CloudFault(message)


def kinds_told() -> tuple[EventKind, ...]:
    """Every kind that some partner tells, in the order of a payment's life."""
    return tuple(kind for kind in EventKind if any(kind in partner.kinds for partner in PARTNERS.values()))


def happenings(partner: str, asked: Happening, ids: Ids) -> Iterator[Happening]:
    """What was asked for, and before it what it is about where no id says that this was told already.

    Raises:
        NoSuchEvent: the partner does not tell it.
    """
    worded(dict.fromkeys(PARTNERS[partner].kinds, ""), asked, partner)
    family = asked.kind.value.partition("_")[0]
    told = replace(
        asked,
        payment=asked.payment or (f"pay_{ids.token(8)}" if family != _OF_NO_PAYMENT else ""),
        object=asked.object or (f"{family}_{ids.token(8)}" if family != _OF_A_PAYMENT else ""),
    )
    for kind in BEFORE.get(asked.kind, ()):
        if not _known(kind, asked):
            yield _on_the_way(told, kind, f"evt_{ids.token(10)}")
    yield told


def _known(kind: EventKind, asked: Happening) -> bool:
    """Whether an id that was given says that this was told before."""
    return bool(asked.object or (asked.payment and kind is EventKind.PAYMENT_SUCCEEDED))


def _on_the_way(told: Happening, kind: EventKind, identity: str) -> Happening:
    of_a_payment = kind.value.startswith(_OF_A_PAYMENT)
    return replace(told, kind=kind, id=identity, object="" if of_a_payment else told.object, fee=None)


def tell(here: Here, tenant: str, partner: str, told: Happening) -> Outcome:
    """Sign an event, post it, and say what became of it.

    Raises:
        NoSuchEvent: the partner has none for it.
        CloudFault: the door refused it, or did not answer.
    """
    client = here.client(tenant)
    for thing in _asked_for(partner, told):
        here.partners().feed(thing)
    body, headers = _delivery(here, tenant, partner, told)
    url = f"{here.url()}/v1/webhooks/{tenant}/{partner}"
    try:
        answer = requests.post(url, data=body, headers=headers, timeout=SECONDS)
    except requests.RequestException as error:
        message = f"no answer from {here.url()}: {type(error).__name__}"
        raise CloudFault(message) from error
    if answer.status_code != HTTPStatus.OK:
        message = f"the door refused it: {answer.status_code} {answer.text.strip()}"
        raise CloudFault(message)
    event = _parsed(here, tenant, partner, (body, headers))
    stored = followed(client, event_cause(TenantId(tenant), partner, event.account, event.id).stored_id("event"))
    became = (stored["state"], stored["refused"], stored["entry_id"])
    return Outcome(partner, event.type, event.id, told.payment, told.object, *became)


def followed(client: Client, key: str) -> dict[str, Any]:
    """The event as the inbox has it once it came to something, or as it stands after a while.

    Raises:
        ApiRefused: the API did.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        found = client.get(f"/v1/payments/events/{key}")
        if found["state"] != "received" or time.monotonic() > deadline:
            return found
        time.sleep(LOOK_SECONDS)


def pages(client: Client, path: str) -> Iterator[dict[str, Any]]:
    """Every item of a list; the path has a query already."""
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"{path}&limit={PAGE}" + (f"&cursor={quote(cursor)}" if cursor else ""))
        yield from page["items"]
        cursor = page["next_cursor"]


def invoice_named(client: Client, word: str) -> dict[str, Any]:
    """The invoice of an id or a number: partners carry one or the other.

    Raises:
        CloudFault: there is none.
    """
    for invoice in pages(client, "/v1/invoices?"):
        if word in {invoice["id"], invoice["number"]}:
            return invoice
    message = f"no invoice has the id or number {word}"
    raise CloudFault(message)


def _asked_for(partner: str, told: Happening) -> Iterator[Known]:
    """What the partner will be asked, for its event does not say how much."""
    if partner != "gocardless" or told.kind not in _STATUSES:
        return
    thing, status = _STATUSES[told.kind]
    named = told.payment if thing is Thing.PAYMENT else told.object
    said = {"metadata": {"invoice_id": told.invoice_id}} if told.invoice_id and thing is Thing.PAYMENT else {}
    money = told.money
    yield Known(partner, thing, named, money.amount, money.currency, status, told.payment, said=said)


_STATUSES: Final[Mapping[EventKind, tuple[Thing, str]]] = {
    EventKind.PAYMENT_PENDING: (Thing.PAYMENT, "submitted"),
    EventKind.PAYMENT_SUCCEEDED: (Thing.PAYMENT, "confirmed"),
    EventKind.PAYMENT_FAILED: (Thing.PAYMENT, "failed"),
    EventKind.REFUND_SUCCEEDED: (Thing.REFUND, "paid"),
    EventKind.REFUND_FAILED: (Thing.REFUND, "bounced"),
    EventKind.DISPUTE_OPENED: (Thing.PAYMENT, "charged_back"),
    EventKind.DISPUTE_WON: (Thing.PAYMENT, "confirmed"),
    EventKind.DISPUTE_LOST: (Thing.PAYMENT, "charged_back"),
    EventKind.PAYOUT_PAID: (Thing.PAYOUT, "paid"),
}
"""GoCardless's word for how a thing stands after an event of each kind."""


def _delivery(here: Here, tenant: str, partner: str, told: Happening) -> tuple[bytes, dict[str, str]]:
    secret = signing_secret(here.home.secrets, tenant, partner, SystemIds())
    body = PARTNERS[partner].body([PARTNERS[partner].event(told)], secret)
    return body, {"content-type": "application/json", **PARTNERS[partner].headers(body, here.clock().now(), secret)}


def _parsed(here: Here, tenant: str, partner: str, delivery: tuple[bytes, dict[str, str]]) -> PartnerEvent:
    """The event as the inbox knows it: some partners give it no id of their own."""
    at = here.clock().now()
    values = (here.home.secrets / f"webhook-{tenant}-{partner}").read_bytes().splitlines()
    adapter = partner_named(partner)
    (piece,) = adapter.prove(*delivery, live_secrets(values, at), at).pieces
    return adapter.parse(piece.raw, at)
