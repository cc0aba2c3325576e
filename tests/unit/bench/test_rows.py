import json
from pathlib import Path

import pytest

from tests.bench.rows import Row, passed, write

POSTING = Row("posting", 1_400.0, "postings/s", "how", ratio=0.7)
START = Row("cold start", 1.2, "s", "how")


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        (POSTING.at_least(0.7), True),
        (POSTING.at_least(0.71), False),
        (POSTING.ratio_at_most(0.7), True),
        (POSTING.ratio_at_most(0.69), False),
        (START.at_most(1.2), True),
        (START.at_most(1.19), False),
        (Row("reads", 0, "documents", "how").exactly(0), True),
        (Row("reads", 1, "documents", "how").exactly(0), False),
    ],
)
def test_a_bar_holds_up_to_its_very_figure(row: Row, *, holds: bool) -> None:
    """The bar itself is still good; anything beyond is not."""
    assert row.holds is holds


def test_a_ratio_that_was_not_measured_holds_no_bar() -> None:
    """A figure without its yardstick proves nothing."""
    assert START.at_least(0.1).holds is False


def test_one_bar_that_does_not_hold_fails_the_whole() -> None:
    """Figures that only inform never do."""
    assert passed([POSTING, POSTING.at_least(0.7)])
    assert not passed([POSTING, POSTING.at_least(0.7), START.at_most(1)])


def test_the_file_says_of_every_figure_how_it_was_taken(tmp_path: Path) -> None:
    """Machines read name, value, unit, ratio, bar, holds and how, in this order."""
    write([POSTING.at_least(0.7), START], tmp_path / "build" / "bench.json")
    first, second = json.loads((tmp_path / "build" / "bench.json").read_text(encoding="utf-8"))
    assert list(first) == ["name", "value", "unit", "ratio", "bar", "holds", "how"]
    assert (first["bar"], first["holds"]) == ("ratio >= 0.7", True)
    assert (second["ratio"], second["bar"], second["holds"]) == (None, None, None)
