from collections.abc import Iterator

import pytest

from shared.settings import Settings
from tests.builders import ACME
from tests.emulator.instances import Fate, Post
from tests.emulator.webhooks.stations import More, Station, a_station
from tests.local_keys import LocalKeys


@pytest.fixture
def station(settings: Settings, keys: LocalKeys) -> Iterator[Station]:
    """A process, for a tenant that has its keys."""
    made = a_station(settings, keys)
    made.house.vault.ensure_tenant(ACME)
    yield made
    made.line.close()


@pytest.fixture
def another(settings: Settings, keys: LocalKeys, station: Station) -> Iterator[More]:
    """Makes further processes over the same databases; they share the queue unless they bring a fate of their own."""
    made: list[Station] = []

    def make(fate: Fate | None = None, post: Post | None = None) -> Station:
        made.append(a_station(settings, keys, fate, post or (station.post if fate is None else None)))
        return made[-1]

    yield make
    for one in made:
        one.line.close()
