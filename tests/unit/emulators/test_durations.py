from datetime import timedelta

import pytest

from emulators.durations import parse_duration
from emulators.processes import CloudFault


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1d", timedelta(days=1)),
        ("2h", timedelta(hours=2)),
        ("30m", timedelta(minutes=30)),
        ("1d12h", timedelta(days=1, hours=12)),
        ("2w3s", timedelta(weeks=2, seconds=3)),
    ],
)
def test_durations_are_sums_of_their_parts(text: str, meant: timedelta) -> None:
    """People write 1d12h."""
    assert parse_duration(text) == meant


@pytest.mark.parametrize("text", ["", "1", "d", "1x", "-1d", "1.5h", "1d "])
def test_anything_else_is_refused(text: str) -> None:
    """A slip of the finger does not move the clock."""
    with pytest.raises(CloudFault):
        parse_duration(text)
