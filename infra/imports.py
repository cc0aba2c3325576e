"""What a file of the house needs to run, found by reading it, never by running it.

Imports count wherever they stand, also inside functions. The composition root imports lazily, one
method a room, so following all of it would put the whole house into every bundle. It is followed
room by room instead: a room counts once anything reached reads an attribute of its name
(`house().books`). The same name read for another reason includes a room too many, never one too few.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = "shared"
COMPOSITION_ROOT = "shared.wiring"


@dataclass(frozen=True, slots=True)
class Needs:
    """Dotted names imported (`shared.money.Money`, `google.cloud.kms`) and attributes read, in one piece of code."""

    imported: frozenset[str]
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Closure:
    """Everything reached from one file: modules of the house (`shared.money`), and dotted names from elsewhere."""

    modules: frozenset[str]
    foreign: frozenset[str]


def closure_of(door: Path) -> Closure:
    """All that a file imports, and what that imports, to the end.

    Raises:
        SyntaxError: a reached file is not Python.
    """
    waiting = [needs_of(ast.parse(door.read_text(encoding="utf-8")))]
    rooms: dict[str, Needs] = {}
    modules: set[str] = set()
    imported: set[str] = set()
    attributes: set[str] = set()
    while waiting:
        needs = waiting.pop()
        imported |= needs.imported
        attributes |= needs.attributes
        for module in {each for name in needs.imported for each in modules_of(name)} - modules:
            modules.add(module)
            tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
            if module.startswith(COMPOSITION_ROOT):
                rooms |= take_rooms(tree)
            waiting.append(needs_of(tree))
        waiting += [rooms.pop(room) for room in rooms.keys() & attributes]
    return Closure(frozenset(modules), frozenset(name for name in imported if name.split(".")[0] != PRODUCT))


def take_rooms(tree: ast.Module) -> dict[str, Needs]:
    """Take the methods out of the composition root's classes, all but `__init__`: name and what each needs."""
    rooms: dict[str, Needs] = {}
    for house in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        lazy = [node for node in house.body if isinstance(node, ast.FunctionDef) and node.name != "__init__"]
        rooms |= {room.name: needs_of(room) for room in lazy}
        house.body = [node for node in house.body if node not in lazy]
    return rooms


def needs_of(tree: ast.AST) -> Needs:
    """Every import and every attribute read below a node; what only a type checker imports does not count."""
    nodes = list(walk(tree))
    own = {node.func for node in nodes if isinstance(node, ast.Call) and is_method_of_a_dictionary(node.func)}
    read = (node.attr for node in nodes if isinstance(node, ast.Attribute) and node not in own)
    return Needs(frozenset(name for node in nodes for name in names_in(node)), frozenset(read))


def is_method_of_a_dictionary(called: ast.expr) -> bool:
    """Whether a call is `{}.keys()` and its like: the room `keys` is an object, nobody calls it."""
    return isinstance(called, ast.Attribute) and hasattr(dict, called.attr)


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes below and including `tree`, without what only a type checker sees."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")):
            yield from walk(child)


def names_in(node: ast.AST) -> Iterator[str]:
    """The dotted names that one import statement may load."""
    match node:
        case ast.Import(names=names):
            yield from (each.name for each in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            yield from (f"{module}.{each.name}" for each in names)
        case _:
            return


def modules_of(name: str) -> Iterator[str]:
    """The modules of the house that importing a dotted name loads: each package above it, and itself if it is one."""
    parts = name.split(".")
    if parts[0] == PRODUCT:
        candidates = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
        yield from (module for module in candidates if path_of(module).exists())


def path_of(module: str) -> Path:
    """Where a module of the house stands (it may not exist)."""
    stem = ROOT.joinpath(*module.split("."))
    return stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")
