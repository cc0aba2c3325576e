from pathlib import Path

import pytest

from emulators.catalogue import FromTopic, load_catalogue
from shared.settings import read_settings
from shared.webhooks.model import DeliveryState, Trouble
from shared.webhooks.rules.urls import Reach
from shared.wiring import House

ROOT = Path(__file__).resolve().parents[3]
MINIMAL = {f"DAYBOOK_{name}": "x" for name in ("PROJECT", "REGION", "KMS_KEY", "DOORS_URL")}
LAPTOP = {"DAYBOOK_WEBHOOKS_TO_LOOPBACK": "yes", "DAYBOOK_FIRESTORE_ENDPOINT": "127.0.0.1:1"}


def test_whatever_is_announced_is_told_to_endpoints() -> None:
    """Every topic of the catalogue has its door that fans out; a new topic fails here until it has one."""
    catalogue = load_catalogue()
    doors = {one.name: one.trigger for one in catalogue.functions if one.name.startswith("fan_out_")}
    assert doors == {f"fan_out_{topic}": FromTopic(topic) for topic in catalogue.topics}


def test_only_a_laptop_that_says_so_is_told_itself() -> None:
    """The setting is off unless it is on, and refused where there is no emulator."""
    assert House(read_settings(MINIMAL)).webhooks.reach is Reach.INTERNET
    assert House(read_settings(MINIMAL | LAPTOP)).webhooks.reach is Reach.LOOPBACK_TOO
    with pytest.raises(ValueError, match="public addresses only"):
        read_settings(MINIMAL | {"DAYBOOK_WEBHOOKS_TO_LOOPBACK": "yes"})


def test_terraform_never_sets_it() -> None:
    """No deployed function reaches a loopback address."""
    files = (ROOT / "infra" / "terraform").rglob("*.tf")
    assert not [path for path in files if "LOOPBACK" in path.read_text(encoding="utf-8").upper()]


def test_what_a_client_must_know_is_in_the_guide() -> None:
    """Each trouble and state that the log can show."""
    guide = (ROOT / "docs" / "webhooks-out.md").read_text(encoding="utf-8")
    assert [one.value for one in (*Trouble, *DeliveryState) if f"`{one.value}`" not in guide] == []
