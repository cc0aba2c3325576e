"""The composition root: each room of the house is furnished when it is first entered.

A function pays only for the rooms it uses, so every import stands inside its property; bundles
are cut along the same lines. Nothing below this package knows which adapter it was given.
"""

from functools import cache

from shared.settings import read_settings
from shared.wiring.business import BusinessRooms


class House(BusinessRooms):
    """Everything that the doors use, each made once, for one set of settings."""


@cache
def house() -> House:
    """The house of this process, for the settings in its environment."""
    return House(read_settings())
