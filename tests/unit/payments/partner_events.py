"""Deliveries as every partner makes them: `delivery(partner, *events)` is a body and the headers that prove it.

Signed here by each partner's published scheme, written out a second time; the partners' own libraries judge it in
tests/conformance.
"""

import base64
import copy
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shared.payments.partners.adapter import Secret
from tests.builders import NOON

ADDRESS: Final = "https://daybook.example/v1/webhooks/acme/square"
PARTNERS: Final = ("adyen", "airwallex", "gocardless", "square", "standard", "stripe", "wise")


@cache
def wise_key(name: str = "new") -> rsa.RSAPrivateKey:
    """A key pair in the place of Wise's own."""
    del name  # it only tells them apart
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


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
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            return Secret(name, wise_key(name).public_key().public_bytes(serialization.Encoding.PEM, form))
        case _:
            return Secret(name, b"whsec_" + word.hex().encode())


def delivery(
    partner: str, *events: Any, at: datetime = NOON, secret: Secret | None = None
) -> tuple[bytes, dict[str, str]]:
    """The body that tells these events, and its headers, in lower case; only batches tell more than one."""
    secret = secret or secret_of(partner)
    if partner == "adyen":
        return adyen_body([adyen_signed(event, secret) for event in events]), {}
    (event,) = [{"events": list(events)}] if partner == "gocardless" else events
    body = json.dumps(event, indent=1).encode()
    return body, signed(partner, body, at, secret)


def signed(partner: str, body: bytes, at: datetime = NOON, secret: Secret | None = None) -> dict[str, str]:
    """The headers that prove a body; Adyen's has its proof within."""
    if partner == "adyen":
        return {}
    return _SIGNED[partner](body, at, secret or secret_of(partner))


def adyen_signed(item: Any, secret: Secret | None = None) -> Any:
    """An item with its signature in it."""
    item = copy.deepcopy(item)
    said = item["NotificationRequestItem"]
    amount = said["amount"]
    values = [said.get(name, "") for name in ("pspReference", "originalReference", "merchantAccountCode")]
    values += [said["merchantReference"], amount["value"], amount["currency"], said["eventCode"], said["success"]]
    key = bytes.fromhex((secret or secret_of("adyen")).value.decode())
    made = _base64(_hash(key, ":".join(map(str, values)).encode()))
    said["additionalData"] = {**said.get("additionalData", {}), "hmacSignature": made}
    return item


def adyen_body(items: list[Any]) -> bytes:
    """The body of a delivery of items."""
    return json.dumps({"live": "false", "notificationItems": items}, indent=1).encode()


def _airwallex(body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
    timestamp = str(int(at.timestamp() * 1_000))
    return {"x-timestamp": timestamp, "x-signature": _hash(secret.value, timestamp.encode() + body).hex()}


def _gocardless(body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
    del at  # not signed
    return {"webhook-signature": _hash(secret.value, body).hex()}


def _square(body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
    del at  # not signed
    return {"x-square-hmacsha256-signature": _base64(_hash(secret.value, secret.url.encode() + body))}


def _standard(body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
    message_id, timestamp = _message_id(body), str(int(at.timestamp()))
    key = base64.b64decode(secret.value.removeprefix(b"whsec_"))
    made = _base64(_hash(key, f"{message_id}.{timestamp}.".encode(errors="replace") + body))
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{made}"}


def _message_id(body: bytes) -> str:
    try:
        return str(json.loads(body)["id"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return "msg_1"


def _stripe(body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    return {"stripe-signature": f"t={timestamp},v1={_hash(secret.value, f'{timestamp}.'.encode() + body).hex()}"}


def _wise(body: bytes, at: datetime, secret: Secret) -> dict[str, str]:
    del at  # not signed
    signature = wise_key(secret.key_id).sign(body, padding.PKCS1v15(), hashes.SHA256())
    return {"x-signature-sha256": _base64(signature)}


_SIGNED: Final[dict[str, Callable[[bytes, datetime, Secret], dict[str, str]]]] = {
    "airwallex": _airwallex,
    "gocardless": _gocardless,
    "square": _square,
    "standard": _standard,
    "stripe": _stripe,
    "wise": _wise,
}


def _hash(key: bytes, signed_bytes: bytes) -> bytes:
    return hmac.new(key, signed_bytes, hashlib.sha256).digest()


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
