import re
from pathlib import Path

import pytest

from emulators.catalogue import parse_catalogue
from infra.bundle import pins_in
from tests.infra.configuration import ROOT

REQUIREMENTS = ROOT / "requirements"
CATALOGUE = parse_catalogue((ROOT / "functions" / "catalogue.yaml").read_text(encoding="utf-8"))
GROUPS = sorted({group for function in CATALOGUE.functions for group in function.requirements})
EVERY_PIN = {pin.split("==")[0]: pin for pin in pins_in(REQUIREMENTS / "all.txt")}


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_deployed_is_what_was_tested(group: str) -> None:
    """A group's pins are the very lines of all.txt: version, marker and hashes."""
    for pin in pins_in(REQUIREMENTS / f"{group}.txt"):
        assert EVERY_PIN[pin.split("==")[0]] == pin


@pytest.mark.parametrize("source", sorted(REQUIREMENTS.glob("*.in")), ids=lambda path: path.stem)
def test_what_is_asked_for_is_pinned(source: Path) -> None:
    """`make lock` was run since a package was added; the files it makes are never edited."""
    asked = {re.split(r"[\[<>=~ ]", line)[0] for line in source.read_text(encoding="utf-8").split("\n") if line}
    pinned = source.with_suffix(".txt") if source.stem in GROUPS else REQUIREMENTS / "all.txt"
    assert asked <= {pin.split("==")[0] for pin in pins_in(pinned)}
    assert asked <= EVERY_PIN.keys()


@pytest.mark.parametrize("pinned", sorted(REQUIREMENTS.glob("*.txt")), ids=lambda path: path.stem)
def test_every_pin_has_a_version_and_hashes_and_no_address(pinned: Path) -> None:
    """No file says where packages come from, so none can lead elsewhere."""
    for pin in pins_in(pinned):
        assert re.match(r"[a-z0-9][a-z0-9-]*==[0-9][^ ]* (; [^\\]+)?\\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n)+$", pin)


def test_groups_are_exactly_those_that_the_catalogue_declares() -> None:
    """No group is deployed unannounced, none is announced and unused."""
    declared = (ROOT / "functions" / "catalogue.yaml").read_text(encoding="utf-8")
    found = re.search(r"^requirement_groups: \[(.*)\]$", declared, re.MULTILINE)
    assert found
    assert sorted(found[1].split(", ")) == GROUPS
    assert {path.stem for path in REQUIREMENTS.glob("*.in")} == {*GROUPS, "dev"}
