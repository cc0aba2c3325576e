"""What a declared rate promises: how often the busiest totals document of an account is written."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from shared.ledger.rules.control import shards_for
from tests.builders import a_sale, entry_id

TEN_MINUTES, HOUR = 600, 3_600


@pytest.mark.parametrize(
    ("rate", "seconds"), [("0.8", HOUR), ("1", HOUR), ("4", HOUR), ("16", TEN_MINUTES), ("51", TEN_MINUTES)]
)
def test_at_a_declared_rate_no_document_is_written_more_than_once_a_second(rate: str, seconds: int) -> None:
    """Firestore's planning number; each posting in a commit of its own writes one shard, which its id gives."""
    entry, shards = a_sale(1, name="one"), shards_for(Decimal(rate))
    postings = range(int(Decimal(rate) * seconds))
    written = Counter(replace(entry, id=entry_id(f"p{number}")).shard(shards) for number in postings)
    assert max(written.values()) <= seconds
    assert len(written) == shards
