"""Sizes are held by what is already there: sizes.json names what is over a limit, and none of it may grow."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import EVERYTHING, place, python_files, tree_of

FUNCTION_LINES, FILE_LINES, POSITIONAL_ARGUMENTS = 40, 400, 4
BASELINE: dict[str, dict[str, int]] = json.loads((Path(__file__).parent / "sizes.json").read_text(encoding="utf-8"))

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_no_function_outgrows_forty_lines() -> None:
    """Lines of code of a function, its docstring apart."""
    held("functions", {name: lines_of(node) for name, node in functions()}, FUNCTION_LINES)


def test_no_file_outgrows_four_hundred_lines() -> None:
    """Two rooms read better than one hall."""
    files = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(*EVERYTHING)}
    held("files", files, FILE_LINES)


def test_no_function_takes_more_than_four_arguments_by_position() -> None:
    """A fifth has a name at the call, or a value object takes them together."""
    tops = [top for top in EVERYTHING if top != "tests"]  # pytest hands fixtures over by name
    held("positional", {name: positional(node) for name, node in functions(*tops)}, POSITIONAL_ARGUMENTS)


def held(law: str, sizes: dict[str, int], limit: int) -> None:
    """Over the limit is only what was, and no more than it was; sizes.json shrinks with what it names."""
    over = {name: size for name, size in sizes.items() if size > limit}
    known = BASELINE[law]
    assert {name: size for name, size in over.items() if size > known.get(name, limit)} == {}, f"over {limit}"
    stale = {name: size for name, size in known.items() if over.get(name, 0) < size}
    assert stale == {}, "smaller than sizes.json says: tighten it there"


def functions(*tops: str) -> Iterator[tuple[str, Function]]:
    """Every function and method by file and qualified name."""
    for path in python_files(*(tops or EVERYTHING)):
        yield from named(tree_of(path), place(path))


def named(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    """The functions below a node."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield f"{prefix}:{name}", child
                yield from named(child, f"{prefix}:{name}")
            case ast.ClassDef(name=name):
                yield from named(child, f"{prefix}:{name}")
            case _:
                yield from named(child, prefix)


def lines_of(node: Function) -> int:
    """From `def` to the end, without the docstring."""
    first = node.body[0]
    documented = ast.get_docstring(node, clean=False) is not None
    return span(node) - (span(first) if documented else 0)


def span(node: ast.stmt) -> int:
    """The lines that a statement stands on."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def positional(node: Function) -> int:
    """Arguments that may be given by position, without self."""
    arguments = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    return len([name for name in arguments if name not in {"self", "cls"}])
