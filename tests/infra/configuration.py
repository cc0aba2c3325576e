"""Terraform's files as plain values: quotes, comments and markers of the parser taken off."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM = ROOT / "infra" / "terraform"
MODULES = TERRAFORM / "modules"


@cache
def blocks(folder: Path) -> dict[str, dict[str, Any]]:
    """What a module says, by kind and then by name; a resource's name is `{type}.{name}`, locals are one dictionary."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            for kind, entries in plain(hcl2.load(file)).items():
                for entry in entries:
                    found.setdefault(kind, {}).update(named(kind, entry))
    return found


def named(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    """A block under its name; resources and data sources have two."""
    if kind in {"resource", "data"}:
        return {f"{kinds}.{name}": body for kinds, bodies in entry.items() for name, body in bodies.items()}
    return entry


def plain(value: Any) -> Any:
    """A parsed value without the parser's own marks."""
    match value:
        case dict():
            kept = {key: each for key, each in value.items() if not key.startswith("__")}
            return {key.strip('"'): plain(each) for key, each in kept.items()}
        case list():
            return [plain(each) for each in value]
        case str():
            return value[2:-1] if value.startswith("${") and value.endswith("}") else value.strip('"')
        case _:
            return value


def literals(folder: Path) -> Iterator[tuple[str, str]]:
    """Every quoted text below a folder with the file it stands in, comments and names of collections apart."""
    for path in sorted(folder.rglob("*.tf")):
        code = re.sub(r"^\s*#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        code = re.sub(r'collection\s*=\s*"\w+"', "", code)  # which may be called as a function is
        for text in re.findall(r'"((?:[^"\\]|\\.)*)"', code):
            yield path.relative_to(ROOT).as_posix(), text


def fields_of(module: str, variable: str) -> set[str]:
    """The attributes of an object variable of a module."""
    declared: str = blocks(MODULES / module)["variable"][variable]["type"]
    return set(re.findall(r"(\w+) = ", declared))
