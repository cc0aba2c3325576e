"""The published rates, read once for all tests of tax."""

import pytest

from shared.tax.rates import RateTable, published_rates


@pytest.fixture(scope="session")
def table() -> RateTable:
    """The published rates."""
    return published_rates()
