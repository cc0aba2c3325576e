"""GoCardless's own library and published vector judge what we accept."""

import json
from typing import Final

import pytest
from gocardless_pro import webhooks
from gocardless_pro.errors import InvalidSignatureError

from shared.payments.model import EventKind
from shared.payments.partners.adapter import Piece, Secret
from shared.payments.partners.gocardless import GoCardless
from shared.payments.refusals import BadSignature
from tests.builders import NOON
from tests.conformance.vectors import vector_of
from tests.unit.payments.partner_events import delivery, secret_of
from tests.unit.payments.partner_samples import gocardless

VECTOR: Final = vector_of("gocardless")


def ours(body: bytes, signature: str, secret: bytes) -> tuple[Piece, ...]:
    """What a delivery proves to us."""
    return GoCardless().prove(body, {"webhook-signature": signature}, [Secret("live", secret)], NOON).pieces


def test_the_published_vector_is_accepted_and_its_events_are_the_librarys() -> None:
    """A signature that was made elsewhere, byte for byte."""
    found = webhooks.parse(VECTOR["body"], VECTOR["secret"], VECTOR["signature"])
    pieces = ours(VECTOR["body"].encode(), VECTOR["signature"], VECTOR["secret"].encode())
    assert [json.loads(piece.raw) for piece in pieces] == [event.attributes for event in found]
    read = [GoCardless().parse(piece.raw, NOON) for piece in pieces]
    assert [event.id for event in read] == [event.id for event in found]
    assert {event.kind for event in read} == {EventKind.OTHER}, "a subscription and a mandate move no money"


def test_what_we_take_for_signed_gocardlesss_library_accepts() -> None:
    """The scheme as we read it is the one that its library verifies."""
    secret = secret_of("gocardless").value
    body, headers = delivery("gocardless", gocardless(), gocardless("refunds.paid", event="EV2", refund="RF1"))
    found = webhooks.parse(body.decode(), secret.decode(), headers["webhook-signature"])
    assert [event.id for event in found] == ["EV1", "EV2"]
    assert len(ours(body, headers["webhook-signature"], secret)) == 2


def test_neither_takes_a_body_altered_after_signing() -> None:
    """One action changed."""
    altered = VECTOR["body"].replace('"created"', '"removed"')
    with pytest.raises(InvalidSignatureError):
        webhooks.parse(altered, VECTOR["secret"], VECTOR["signature"])
    with pytest.raises(BadSignature):
        ours(altered.encode(), VECTOR["signature"], VECTOR["secret"].encode())
