import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator

from shared import ledger
from shared.faults import Refused
from shared.http.problems import status_of
from tests.house.sources import ROOT, place, python_files, tree_of

GUIDE = ROOT / "docs" / "ledger-guide.md"
PROTOCOL = ROOT / "docs" / "ledger.md"
OF_MEMOS = {"keysets", "disclosures"}
"""Collections that the ledger writes through the vault: they hold a memo's key, and who asked to see it."""


def test_every_refusal_of_the_ledger_has_its_row_in_the_guide() -> None:
    """A client looks there for what a code means and what to do; the guide names none that is gone."""
    assert rows_of_the_guide() == statuses_of_the_ledger()


def test_every_collection_of_the_ledger_is_in_the_protocol() -> None:
    """Who looks at the store finds what each document is and who writes it."""
    named = set(re.findall(r"`([a-z_]+)/", "".join(section(PROTOCOL.read_text(encoding="utf-8"), "## Documents"))))
    assert named == set(collections()) | OF_MEMOS


def statuses_of_the_ledger() -> dict[str, set[int]]:
    """What each code of a refusal that the ledger defines is answered with."""
    for module in pkgutil.walk_packages(ledger.__path__, f"{ledger.__name__}."):
        importlib.import_module(module.name)
    statuses: dict[str, set[int]] = {}
    for refusal in family(Refused):
        if refusal.__module__.startswith(f"{ledger.__name__}."):
            statuses.setdefault(refusal.code, set()).add(int(status_of(refusal(""))))
    return statuses


def family(of: type[Refused]) -> Iterator[type[Refused]]:
    """All classes below one."""
    for child in of.__subclasses__():
        yield child
        yield from family(child)


def rows_of_the_guide() -> dict[str, set[int]]:
    """Code and statuses of each row of the guide's table."""
    rows = section(GUIDE.read_text(encoding="utf-8"), "### Refusals of the ledger")
    found = [re.match(r"\| `(\w+)` \| ([\d, ]+) \|(?: [^|]+ \|){3}$", row) for row in rows if row.startswith("| `")]
    assert all(found), "a row has code, status, meaning, whether it is recorded, and what to do"
    codes = [row[1] for row in found if row]
    assert len(codes) == len(set(codes)), "each code has one row"
    return {row[1]: set(map(int, row[2].split(", "))) for row in found if row}


def section(text: str, title: str) -> list[str]:
    """The lines of the tables between a title and the next one."""
    lines = text.splitlines()
    after = lines[lines.index(title) + 1 :]
    end = next((number for number, line in enumerate(after) if line.startswith("#")), len(after))
    return [line for line in after[:end] if line.startswith("|")]


def collections() -> Iterator[str]:
    """The collections that the ledger, and the desk under it, name where they build a document's place or a query."""
    files = [*python_files("shared/ledger"), *(ROOT / "shared" / f"{name}.py" for name in ("calls", "desk", "outbox"))]
    for path in files:
        tree = tree_of(path)
        constants = {
            node.target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or called(node) not in {"tenant_ref", "ref", "Query"}:
                continue
            at = node.args[1:2] if called(node) == "tenant_ref" else node.args[:1]
            names = [one.value if isinstance(one, ast.Constant) else constants.get(ast.unparse(one)) for one in at]
            assert all(name is None or isinstance(name, str) for name in names), place(path)
            yield from (str(name) for name in names if name)


def called(node: ast.Call) -> str:
    """The last word of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
