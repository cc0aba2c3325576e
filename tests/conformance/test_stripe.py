"""Stripe's own library and published scheme judge what we accept."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import stripe

from shared.payments.partners.adapter import Secret
from shared.payments.partners.reading import REPLAY_WINDOW_SECONDS
from shared.payments.partners.stripe import Stripe
from shared.payments.refusals import BadSignature, OutsideReplayWindow
from tests.builders import NOON
from tests.unit.payments.stripe_events import OLD_SECRET, SECRET, body_of, paid, signed

VECTOR: Final = json.loads((Path(__file__).parent / "data" / "webhooks" / "stripe.json").read_text(encoding="utf-8"))
BODY: Final = body_of(paid())


def proves(body: bytes, header: str, secret: bytes = SECRET, at: datetime = NOON) -> bool:
    """Whether we believe a body under one secret; a refusal otherwise."""
    return bool(Stripe().prove(body, {"stripe-signature": header}, [Secret("live", secret)], at).pieces)


def header_of(body: bytes, at: datetime, *secrets: bytes) -> str:
    """The header as we read the scheme: one time, and a signature by each secret."""
    seconds = int(at.timestamp())
    made = [hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={seconds}", *(f"v1={signature}" for signature in made)])


def test_what_stripes_library_signs_is_accepted() -> None:
    """The header that Stripe's library makes for a test is one of a live event to us."""
    made = stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRET.decode(), int(NOON.timestamp()))
    assert proves(BODY, made)
    assert made == signed(BODY)["stripe-signature"]


def test_what_we_take_for_signed_stripes_library_accepts() -> None:
    """The scheme as we read it is the one that Stripe's library verifies."""
    now = datetime.fromtimestamp(int(NOON.timestamp()), UTC)
    event = stripe.Webhook.construct_event(BODY, header_of(BODY, now, SECRET), SECRET.decode(), tolerance=10**9)
    assert event.id == "evt_paid_pi_1"


def test_the_published_vector_is_accepted_in_its_time_and_not_later() -> None:
    """A signature that was made elsewhere, byte for byte."""
    body, secret = VECTOR["body"].encode(), VECTOR["secret"].encode()
    then = datetime.fromtimestamp(VECTOR["timestamp"], UTC)
    assert proves(body, VECTOR["header"], secret, then)
    with pytest.raises(OutsideReplayWindow):
        proves(body, VECTOR["header"], secret, then + timedelta(seconds=REPLAY_WINDOW_SECONDS + 1))


def test_a_timestamp_from_the_future_is_refused_though_stripes_library_takes_it() -> None:
    """The replay window holds both ways: here we are stricter on purpose."""
    header = signed(BODY, NOON + timedelta(days=1))["stripe-signature"]
    assert stripe.WebhookSignature.verify_header(BODY.decode(), header, SECRET.decode(), tolerance=10**9)
    with pytest.raises(OutsideReplayWindow):
        proves(BODY, header)


def test_during_a_rotation_stripe_signs_with_both_secrets() -> None:
    """While two secrets are live Stripe sends one v1 for each; we take it with either, as Stripe's library does."""
    header = header_of(BODY, NOON, SECRET, OLD_SECRET)
    for secret in (SECRET, OLD_SECRET):
        assert proves(BODY, header, secret)
        assert stripe.WebhookSignature.verify_header(BODY.decode(), header, secret.decode(), tolerance=10**9)


def test_neither_takes_a_body_altered_after_signing() -> None:
    """Theirs and ours say no to one amount changed."""
    altered = BODY.replace(b"12000", b"12001")
    header = signed(BODY)["stripe-signature"]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(altered.decode(), header, SECRET.decode(), tolerance=10**9)
    with pytest.raises(BadSignature):
        proves(altered, header)
