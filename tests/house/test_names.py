import ast
import re

from tests.house.sources import EVERYTHING, place, python_files, tree_of

EMPTY = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "base", "misc"}


def test_no_file_is_named_for_nothing() -> None:
    """A name says what a thing is: `utils` says that nobody knew."""
    words = {place(path): set(re.split(r"[/_.]", place(path))) for path in python_files(*EVERYTHING)}
    assert [name for name, parts in words.items() if parts & EMPTY] == []


def test_no_class_is_named_for_nothing() -> None:
    """As files: a manager manages what its name forgot."""
    classes = [
        (place(path), node.name)
        for path in python_files(*EVERYTHING)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
    ]
    # Secret Manager is what Google calls its product.
    words = {each: re.findall(r"[A-Z][a-z]*", each[1].replace("SecretManager", "")) for each in classes}
    assert [each for each, parts in words.items() if {part.lower() for part in parts} & EMPTY] == []
