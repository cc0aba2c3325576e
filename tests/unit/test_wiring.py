"""The house stands: every room opens without touching the world."""

import ast
from functools import cached_property
from inspect import getattr_static
from pathlib import Path

import pytest

from shared.clock import SettableClock, SystemClock
from shared.gcp.secrets import FileSecrets, SecretManagerSecrets
from shared.settings import Settings, read_settings
from shared.wiring import House

ROOMS = sorted(name for name in dir(House) if isinstance(getattr_static(House, name), cached_property))
DOORS = sorted(Path(__file__).parents[2].joinpath("functions").rglob("*.py"))


def _settings(**changes: str) -> Settings:
    names = ("PROJECT", "REGION", "KMS_KEY", "DOORS_URL")
    return read_settings({f"DAYBOOK_{name}": "p" for name in names} | changes)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_opens_without_touching_the_world(room: str) -> None:
    """No channel opens and no file is read before somebody asks for something."""
    assert getattr(House(_settings()), room) is not None


def test_a_room_is_furnished_once() -> None:
    """Everybody in one house has the same desk, books and caches."""
    house = House(_settings())
    assert house.desk is house.desk
    assert house.books._desk is house.desk


def test_a_laptop_differs_in_settings_only(tmp_path: Path) -> None:
    """Clock and secrets are files where the settings name files, else the system's and Google's."""
    local = House(_settings(DAYBOOK_SECRETS_PATH=str(tmp_path), DAYBOOK_CLOCK_PATH=str(tmp_path / "clock")))
    cloud = House(_settings())
    assert (type(local.clock), type(cloud.clock)) == (SettableClock, SystemClock)
    assert (type(local.secrets), type(cloud.secrets)) == (FileSecrets, SecretManagerSecrets)


@pytest.mark.parametrize("door", DOORS, ids=lambda path: path.stem)
def test_a_door_asks_for_what_is_there(door: Path) -> None:
    """What a door calls in a room (`house().books.post`) exists under that name."""
    house = House(_settings())
    for node in ast.walk(ast.parse(door.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).startswith("house()."):
            room = ast.unparse(node.value).removeprefix("house().")
            if "." not in room:
                assert room in {*ROOMS, "settings"}
                assert hasattr(getattr(house, room), node.attr), ast.unparse(node)
