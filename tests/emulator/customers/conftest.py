from collections.abc import Iterator

import pytest

from shared.settings import Settings
from shared.wiring import house
from tests.emulator.offices import Office, open_office


@pytest.fixture
def office(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An empty platform."""
    yield open_office(settings, monkeypatch)
    house.cache_clear()
