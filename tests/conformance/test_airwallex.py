"""Airwallex's documented scheme judges what we accept; it has no Python library."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from shared.money import Money
from shared.payments.partners.adapter import Secret
from shared.payments.partners.airwallex import Airwallex
from shared.payments.refusals import BadSignature, OutsideReplayWindow
from tests.conformance.vectors import vector_of

VECTOR: Final = vector_of("airwallex")
THEN: Final = datetime.fromtimestamp(int(VECTOR["timestamp"]) / 1_000, UTC)


def proves(at: datetime, signature: str = VECTOR["signature"]) -> bool:
    """Whether we believe the vector at an instant; a refusal otherwise."""
    headers = {"x-timestamp": VECTOR["timestamp"], "x-signature": signature}
    secret = Secret("live", VECTOR["secret"].encode())
    return bool(Airwallex().prove(VECTOR["body"].encode(), headers, [secret], at).pieces)


def test_the_vector_is_accepted_in_its_time() -> None:
    """A signature that was made elsewhere, byte for byte; its timestamp is in milliseconds."""
    assert proves(THEN)
    assert proves(THEN + timedelta(seconds=300))
    assert proves(THEN - timedelta(seconds=300))


@pytest.mark.parametrize("hours", [-24, 24, 24 * 365])
def test_a_stale_or_future_one_is_refused(hours: int) -> None:
    """Airwallex says that its timestamp is against replays, and names no window: ours is five minutes."""
    with pytest.raises(OutsideReplayWindow):
        proves(THEN + timedelta(hours=hours))


def test_an_altered_one_is_refused() -> None:
    """One digit."""
    with pytest.raises(BadSignature):
        proves(THEN, "0" + VECTOR["signature"][1:])


def test_its_payload_says_what_was_paid() -> None:
    """Exactly, though it came as a decimal fraction."""
    event = Airwallex().parse(VECTOR["body"].encode(), THEN)
    assert (event.payment, event.money) == ("int_hkpdcpcvbgh8mwk1111", Money(1_666, "USD"))
