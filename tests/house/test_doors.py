import ast
import sys
from pathlib import Path

import pytest

from emulators.catalogue import Function, parse_catalogue
from tests.house.sources import ROOT, place, python_files, roots, tree_of

CATALOGUE = parse_catalogue((ROOT / "functions" / "catalogue.yaml").read_text(encoding="utf-8"))
DOORS = list(python_files("functions"))


def test_every_function_of_the_catalogue_has_its_door_and_every_door_its_function() -> None:
    """One name everywhere: file, folder and catalogue key."""
    assert {place(door) for door in DOORS} == {function.file for function in CATALOGUE.functions}


@pytest.mark.parametrize("function", CATALOGUE.functions, ids=lambda function: function.name)
def test_a_doors_entry_point_is_a_plain_function_of_its_name(function: Function) -> None:
    """The framework finds it by the catalogue's key and hands it a request."""
    door = tree_of(ROOT / function.file)
    entry = [node for node in door.body if isinstance(node, ast.FunctionDef) and node.name == function.name]
    assert len(entry) == 1
    assert "functions_framework.http" in [ast.unparse(decorator) for decorator in entry[0].decorator_list]


def test_stems_are_unique_and_shadow_nothing_of_python() -> None:
    """The framework registers doors by bare name: a second `accounts` or a `calendar` would break another one."""
    stems = [door.stem for door in DOORS]
    assert sorted(set(stems)) == sorted(stems)
    assert not set(stems) & sys.stdlib_module_names


@pytest.mark.parametrize("door", DOORS, ids=place)
def test_doors_lean_on_the_house_and_never_on_each_other(door: Path) -> None:
    """What two doors share lives in shared/."""
    assert not roots(door) & {"functions", "emulators", "tests", "infra"}


@pytest.mark.parametrize("door", DOORS, ids=place)
def test_doors_reach_the_cloud_only_through_the_house(door: Path) -> None:
    """A door parses, calls one use case and answers."""
    assert not roots(door) & {"google", "grpc", "os"}
