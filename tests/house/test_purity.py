import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import PRODUCT, ROOT, place, python_files, roots, tree_of

NOT_DOMAINS = {"shared/cli", "shared/gcp", "shared/http", "shared/internet"}

HOMES = {
    "datetime.now": {"shared/clock.py"},
    "datetime.utcnow": set[str](),
    "date.today": set[str](),
    "time.time": set[str](),
    "uuid.uuid4": {"shared/identity.py"},
    "os.environ": {"shared/settings.py"},
    "os.getenv": {"shared/settings.py"},
}
"""What only one file may touch: time, chance and the environment are arguments everywhere else."""


@pytest.mark.parametrize("reading", HOMES)
def test_time_chance_and_the_environment_have_one_home(reading: str) -> None:
    """Whatever decides can be run again with the same answer."""
    found = {place(path) for path in python_files(*PRODUCT) if reading in set(expressions(path))}
    assert found <= HOMES[reading]


def test_chance_is_never_imported() -> None:
    """Ids come from causes; what must be unguessable comes from `secrets`, in shared.identity alone."""
    found = {place(path) for path in python_files(*PRODUCT) if roots(path) & {"random", "uuid"}}
    assert found == set()


def test_nothing_is_turned_into_a_float() -> None:
    """Money is an int of minor units and rates are Decimal, from the first byte on."""
    assert [place(path) for path in python_files(*PRODUCT) if "float" in set(called(path))] == []


def test_domains_hold_no_float_at_all() -> None:
    """Not even as a figure in the code."""
    domains = [path for path in (ROOT / "shared").iterdir() if path.is_dir() and place(path) not in NOT_DOMAINS]
    files = [*(file for domain in domains for file in python_files(place(domain))), ROOT / "shared" / "money.py"]
    assert [place(path) for path in files if any(is_float(node) for node in ast.walk(tree_of(path)))] == []


def is_float(node: ast.AST) -> bool:
    """A figure with a fraction."""
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def expressions(path: Path) -> Iterator[str]:
    """Every dotted name of a file, shortened to its last two parts."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute):
            yield ".".join(ast.unparse(node).split(".")[-2:])


def called(path: Path) -> Iterator[str]:
    """The plain names that a file calls."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id
