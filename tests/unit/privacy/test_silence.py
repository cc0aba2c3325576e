import pickle
import traceback
from datetime import datetime, timedelta
from typing import cast

import pytest

from shared.expiring import Expiring
from shared.privacy import Disclosed, PersonalDataUnreadable, Place, Purpose, Sealed
from shared.privacy.refusals import NotText
from tests.builders import ACME, NOON
from tests.unit.privacy.test_key_levels import CARD, NAME, a_sealer


def test_sealed_data_is_silent_however_it_is_printed() -> None:
    """Neither the text nor its ciphertext shows in a log line."""
    sealed: Sealed[str] = Sealed(b"ciphertext-canary")
    printed = (repr(sealed), str(sealed), f"{sealed}", f"{sealed!r:>40}", f"{[sealed]}", "%s" % sealed)  # noqa: UP031 - that way too
    assert not any("canary" in text for text in printed)


def test_sealed_data_does_not_change_and_does_not_travel() -> None:
    """It is a value, and it leaves a process only as a document's field."""
    sealed: Sealed[str] = Sealed(b"ciphertext-canary")
    with pytest.raises(AttributeError):
        sealed.stored = b""
    with pytest.raises(TypeError):
        pickle.dumps(sealed)


def test_sealed_bytes_hold_no_plaintext() -> None:
    """What a document keeps does not contain the name."""
    assert NAME.encode() not in a_sealer().seal(CARD, "name", NAME).stored


def test_equal_texts_are_not_seen_to_be_equal() -> None:
    """Two ciphertexts of one name differ."""
    sealer = a_sealer()
    assert sealer.seal(CARD, "name", NAME) != sealer.seal(CARD, "name", NAME)


def test_a_failure_to_open_says_nothing_about_the_data() -> None:
    """No message, cause or context of the refusal holds text or ciphertext."""
    sealed = a_sealer().seal(CARD, "name", NAME)
    with pytest.raises(PersonalDataUnreadable) as refusal:
        a_sealer().open(CARD, "name", sealed, Purpose.SUPPORT)
    told = "".join(traceback.format_exception(refusal.value))
    assert NAME not in told
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None


def test_a_failure_to_seal_says_nothing_about_the_data() -> None:
    """A text that is no Unicode is refused without showing it."""
    with pytest.raises(NotText) as refusal:
        a_sealer().seal(CARD, "name", f"{NAME}\ud800")
    assert NAME not in "".join(traceback.format_exception(refusal.value))
    assert refusal.value.__context__ is None


def test_a_disclosure_prints_without_its_values() -> None:
    """What was opened for a person is not opened for the log."""
    assert NAME not in repr(Disclosed("c1", Purpose.SUPPORT, {"name": NAME}))


def test_opening_takes_a_purpose_from_the_list() -> None:
    """A purpose made up on the spot opens nothing."""
    sealer = a_sealer()
    sealed = sealer.seal(CARD, "name", NAME)
    with pytest.raises(TypeError):
        sealer.open(CARD, "name", sealed, cast("Purpose", "curiosity"))


def test_a_place_cannot_imitate_another() -> None:
    """The separator is no part of a name, so `a|b` and `c` never read as `a` and `b|c`."""
    with pytest.raises(ValueError, match="separator"):
        Place(ACME, "customers", "c1|name")


class SteppedClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        """The instant it was moved to."""
        return self.at


def test_a_key_is_known_for_its_time_and_no_longer() -> None:
    """At the stated age it is looked up again."""
    clock = SteppedClock()
    looked_up: list[datetime] = []
    known: Expiring[str, int] = Expiring(clock, seconds=300, size=10)

    def load() -> int:
        looked_up.append(clock.at)
        return len(looked_up)

    assert [known.get("k", load), known.get("k", load)] == [1, 1]
    clock.at += timedelta(seconds=299)
    assert known.get("k", load) == 1
    clock.at += timedelta(seconds=1)
    assert known.get("k", load) == 2


def test_no_more_is_known_than_stated() -> None:
    """The oldest makes room."""
    known: Expiring[int, int] = Expiring(SteppedClock(), seconds=300, size=2)
    for number in range(3):
        known.put({number: number})
    assert [known.peek(number) for number in range(3)] == [None, 1, 2]
