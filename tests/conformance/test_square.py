"""Square's own library and published vector judge what we accept."""

from typing import Final

import pytest
from square.utils.webhooks_helper import verify_signature

from shared.payments.model import EventKind
from shared.payments.partners.adapter import Piece, Secret
from shared.payments.partners.square import Square
from shared.payments.refusals import BadSignature
from tests.builders import NOON
from tests.conformance.vectors import vector_of
from tests.unit.payments.partner_events import delivery, secret_of
from tests.unit.payments.partner_samples import square

VECTOR: Final = vector_of("square")


def theirs(body: str, signature: str, secret: Secret) -> bool:
    """Whether Square's library takes a delivery for its own."""
    return verify_signature(
        request_body=body, signature_header=signature, signature_key=secret.value.decode(), notification_url=secret.url
    )


def ours(body: str, signature: str, secret: Secret) -> Piece:
    """The one piece that a delivery proves to us."""
    headers = {"x-square-hmacsha256-signature": signature}
    (piece,) = Square().prove(body.encode(), headers, [secret], NOON).pieces
    return piece


PUBLISHED: Final = Secret("published", VECTOR["signature_key"].encode(), url=VECTOR["notification_url"])


def test_the_published_vector_is_accepted() -> None:
    """A signature that was made elsewhere, byte for byte; a test notification moves no money."""
    assert theirs(VECTOR["body"], VECTOR["signature"], PUBLISHED)
    event = Square().parse(ours(VECTOR["body"], VECTOR["signature"], PUBLISHED).raw, NOON)
    assert (event.kind, event.account) == (EventKind.OTHER, "MLEFBHHSJGVHD")


def test_what_we_take_for_signed_squares_library_accepts() -> None:
    """The scheme as we read it is the one that its library verifies; bodies hold more than ASCII."""
    body, headers = delivery("square", square(reference_id="Größe"))
    signature, secret = headers["x-square-hmacsha256-signature"], secret_of("square")
    assert theirs(body.decode(), signature, secret)
    assert ours(body.decode(), signature, secret)


@pytest.mark.parametrize("url", ["https://webhook.site/other", VECTOR["notification_url"] + "/"])
def test_neither_takes_what_was_sent_elsewhere(url: str) -> None:
    """The address is signed too."""
    other = Secret("other", PUBLISHED.value, url=url)
    assert not theirs(VECTOR["body"], VECTOR["signature"], other)
    with pytest.raises(BadSignature):
        ours(VECTOR["body"], VECTOR["signature"], other)


def test_neither_takes_a_body_altered_after_signing() -> None:
    """One letter."""
    altered = VECTOR["body"].replace("MLEF", "MLEG")
    assert not theirs(altered, VECTOR["signature"], PUBLISHED)
    with pytest.raises(BadSignature):
        ours(altered, VECTOR["signature"], PUBLISHED)
