"""The project's own text, as the house laws read it."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("shared", "functions")
EVERYTHING = (*PRODUCT, "emulators", "infra", "tests")


def python_files(*tops: str) -> Iterator[Path]:
    """Every Python file below these folders of the checkout, in a stable order."""
    for top in tops:
        yield from sorted((ROOT / top).rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    """A file as syntax."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def place(path: Path) -> str:
    """A file's place in the checkout, as people write it."""
    return path.relative_to(ROOT).as_posix()


def kept_files() -> list[Path]:
    """Every file that a clone of the repository would hold, new ones that nothing ignores included."""
    command = ("git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own words
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def imported(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    nodes = list(ast.walk(tree_of(path)))
    plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def roots(path: Path) -> set[str]:
    """The first words of what a file imports: `google` of `google.cloud.kms`."""
    return {module.split(".")[0] for module in imported(path)}
