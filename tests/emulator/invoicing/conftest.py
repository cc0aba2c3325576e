"""A tenant that issues invoices, on the real emulator."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from shared.settings import Settings
from tests.emulator.instances import Fate, Instance, an_instance
from tests.local_keys import LocalKeys

More: TypeAlias = Callable[..., Instance]


@pytest.fixture
def keys() -> LocalKeys:
    """The platform's key."""
    return LocalKeys()


@pytest.fixture
def house(settings: Settings, keys: LocalKeys) -> Iterator[Instance]:
    """An instance, for a tenant whose books are open."""
    instance = an_instance(settings, keys)
    instance.open_books()
    yield instance
    instance.line.close()


@pytest.fixture
def another(settings: Settings, keys: LocalKeys, house: Instance) -> Iterator[More]:
    """Makes further instances over the same databases; they share the queue unless they bring a fate of their own."""
    made: list[Instance] = []

    def make(fate: Fate | None = None) -> Instance:
        made.append(an_instance(settings, keys, fate, None if fate else house.post))
        return made[-1]

    yield make
    for instance in made:
        instance.line.close()
