"""Wise's documented scheme judges what we accept, made by OpenSSL; Wise has no Python library."""

import base64
from typing import Final

import pytest

from shared.payments.model import EventKind
from shared.payments.partners.adapter import Piece, Secret
from shared.payments.partners.wise import Wise
from shared.payments.refusals import BadSignature
from tests.builders import NOON
from tests.conformance.vectors import vector_of
from tests.unit.payments.partner_events import secret_of

VECTOR: Final = vector_of("wise")
LIVE: Final = Secret("live", VECTOR["public_key"].encode())


def ours(body: str, signature: str, secret: Secret = LIVE) -> Piece:
    """The one piece that a delivery proves to us."""
    (piece,) = Wise().prove(body.encode(), {"x-signature-sha256": signature}, [secret], NOON).pieces
    return piece


def test_what_openssl_signs_is_accepted() -> None:
    """A signature that was made elsewhere, byte for byte, of the payload that Wise documents."""
    event = Wise().parse(ours(VECTOR["body"], VECTOR["signature"]).raw, NOON)
    assert (event.kind, event.object, event.account) == (EventKind.PAYOUT_PAID, "111", "222")


def test_another_key_or_body_is_refused() -> None:
    """One state changed, or a key of somebody else's."""
    with pytest.raises(BadSignature):
        ours(VECTOR["body"].replace("outgoing_payment_sent", "funds_refunded"), VECTOR["signature"])
    with pytest.raises(BadSignature):
        ours(VECTOR["body"], VECTOR["signature"], secret_of("wise"))


def test_a_signature_is_strict_base64_of_the_whole() -> None:
    """Not a part of it, nor with anything around it."""
    made = base64.b64decode(VECTOR["signature"])
    for odd in (made[:-1], made + b"\0", b"", bytes(len(made))):
        with pytest.raises(BadSignature):
            ours(VECTOR["body"], base64.b64encode(odd).decode())
    with pytest.raises(BadSignature):
        ours(VECTOR["body"], f"{VECTOR['signature']}!")
