"""What a declared rate promises: how often the busiest totals document of an account is written."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from shared.ledger.rules.control import shards_for
from tests.builders import a_sale, entry_id


@pytest.mark.parametrize(
    ("rate", "minutes", "most"), [(1, 60, 1.0), (4, 60, 1.05), (16, 60, 1.05), (16, 10, 1.1), (64, 10, 1.1)]
)
def test_the_busiest_document_is_written_about_once_a_second(rate: int, minutes: int, most: float) -> None:
    """Firestore's planning number: a posting writes one shard, given by its id; those that share a commit, less."""
    entry, shards = a_sale(1, name="one"), shards_for(Decimal(rate))
    postings = rate * minutes * 60
    written = Counter(replace(entry, id=entry_id(f"p{number}")).shard(shards) for number in range(postings))
    assert max(written.values()) <= most * minutes * 60
    assert len(written) == shards
