"""Deliveries as every partner makes them: `delivery(partner, *events)` is a body and the headers that prove it.

They are made by `emulators.partners`, as for the local cloud; the partners' own libraries judge that in
tests/conformance.
"""

import base64
import hashlib
from datetime import datetime
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.partners import PARTNERS as SENDERS
from emulators.partners import adyen
from emulators.partners.wise import key_pair, private_key
from shared.payments.partners.adapter import Secret
from tests.builders import NOON

ADDRESS: Final = "https://daybook.example/v1/webhooks/acme/square"
PARTNERS: Final = tuple(SENDERS)


@cache
def wise_keys(name: str) -> tuple[str, str]:
    """A key pair in the place of Wise's own, in PEM: the private one and the public one."""
    del name  # it only tells them apart
    return key_pair()


def wise_key(name: str = "new") -> rsa.RSAPrivateKey:
    """The private one."""
    return private_key(wise_keys(name)[0].encode())


@cache
def secret_of(partner: str, name: str = "new") -> Secret:
    """A live secret of the partner's endpoint, in the form that the partner gives it; as many as there are names."""
    word = hashlib.sha256(f"{partner}/{name}".encode()).digest()
    match partner:
        case "adyen":
            return Secret(name, word.hex().upper().encode())
        case "square":
            return Secret(name, base64.urlsafe_b64encode(word), url=ADDRESS)
        case "standard":
            return Secret(name, b"whsec_" + base64.b64encode(word))
        case "wise":
            return Secret(name, wise_keys(name)[1].encode())
        case _:
            return Secret(name, b"whsec_" + word.hex().encode())


def delivery(
    partner: str, *events: Any, at: datetime = NOON, secret: Secret | None = None
) -> tuple[bytes, dict[str, str]]:
    """The body that tells these events, and its headers, in lower case; only batches tell more than one."""
    body = SENDERS[partner].body(events, secret or secret_of(partner))
    return body, signed(partner, body, at, secret)


def signed(partner: str, body: bytes, at: datetime = NOON, secret: Secret | None = None) -> dict[str, str]:
    """The headers that prove a body; Adyen's has its proof within."""
    secret = secret or secret_of(partner)
    own = Secret(secret.key_id, wise_keys(secret.key_id)[0].encode()) if partner == "wise" else secret
    return SENDERS[partner].headers(body, at, own)


def adyen_signed(item: Any, secret: Secret | None = None) -> Any:
    """An item with its signature in it."""
    return adyen.signed(item, secret or secret_of("adyen"))


def adyen_body(items: list[Any]) -> bytes:
    """The body of a delivery of items."""
    return adyen.batch(items)
