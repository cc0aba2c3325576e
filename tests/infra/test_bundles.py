import importlib.metadata
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from emulators.catalogue import Function, parse_catalogue
from infra.bundle import bundle, contents, pins_in, zipped
from infra.imports import ROOT, closure_of

CATALOGUE = parse_catalogue((ROOT / "functions" / "catalogue.yaml").read_text(encoding="utf-8"))
FUNCTIONS = [function for function in CATALOGUE.functions if (ROOT / function.file).exists()]
each_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)


@each_function
def test_a_bundle_starts_alone(function: Function, tmp_path: Path) -> None:
    """With nothing of the checkout in reach, its main module loads and has its entry point."""
    bundle(function, tmp_path)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import main; assert callable(main.{function.name})"
    # -I: neither the checkout nor anything that the environment names is on the path.
    command = (sys.executable, "-I", "-c", program)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stderr


@each_function
def test_a_bundle_brings_every_package_it_imports(function: Function) -> None:
    """Also those imported late: a group that the catalogue forgot would fail at the first request only."""
    pins = {
        pin.split("==")[0] for group in function.requirements for pin in pins_in(ROOT / "requirements" / f"{group}.txt")
    }
    foreign = {
        name for name in closure_of(ROOT / function.file).foreign if name.split(".")[0] not in sys.stdlib_module_names
    }
    assert {name: package_of(name) for name in foreign if package_of(name) not in pins} == {}


@each_function
def test_a_bundle_holds_the_product_and_nothing_around_it(function: Function) -> None:
    """No test, tool, emulator, command line or other door."""
    places = {name for name in contents(function) if not name.startswith("shared/")}
    assert places == {"main.py", "requirements.txt"}
    assert not [name for name in contents(function) if name.startswith("shared/cli")]


@each_function
def test_a_private_door_pays_for_no_documentation_of_its_routes(function: Function) -> None:
    """What only API doors need stays out of the others: they start sooner."""
    if "api" not in function.requirements:
        assert "shared/http/api.py" not in contents(function)


def test_a_tax_question_brings_no_payroll() -> None:
    """A bundle is cut along the rooms that its door enters."""
    names = contents(CATALOGUE.function("calculate_tax"))
    assert "shared/tax/use_cases.py" in names
    assert "shared/tax/data/vat-rates.json" in names
    assert not [name for name in names if name.startswith(("shared/payroll", "shared/payments"))]


def test_the_same_door_makes_the_same_bytes(tmp_path: Path) -> None:
    """So a function is deployed again exactly when it changed."""
    function = CATALOGUE.function("reports")
    first, second = (zipped(bundle(function, tmp_path / name / function.name)) for name in ("a", "b"))
    assert first == second


@cache
def packages() -> dict[str, str]:
    """Every installed module's package: `google/cloud/tasks_v2` to google-cloud-tasks."""
    found: dict[str, str] = {}
    for package in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
        for file in package.files or ():
            if file.name == "__init__.py":
                found[file.parent.as_posix()] = name
            elif file.suffix in {".py", ".so"}:
                found[(file.parent / file.name.split(".")[0]).as_posix()] = name
    return found


def package_of(dotted: str) -> str:
    """The package that an imported name comes from; the name itself if none is installed that has it."""
    parts = dotted.split(".")
    paths = ("/".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((packages()[path] for path in paths if path in packages()), dotted)
