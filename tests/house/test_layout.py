import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import ROOT, place, python_files

SHARED = ROOT / "shared"
NOT_DOMAINS = {"cli", "gcp", "http", "internet", "wiring"}
DOMAINS = sorted(
    path.name for path in SHARED.iterdir() if (path / "__init__.py").exists() and path.name not in NOT_DOMAINS
)
EVERYWHERE = {"__init__", "model", "records", "refusals", "rules", "use_cases", "wire"}
ONLY_HERE = {
    "ledger": {  # the standard accounts, a table with its reader; what an entry carries, and how its lines are kept
        "chart",
        "entry_data",
        "exchange",
        "line_text",
    },
    "payments": {  # orders and their documents; the one long decision; a table with its reader; partners' schemes
        "allocations",
        "applying",
        "exchange_rates",
        "partners",
        "payouts",  # as refunds, with a life of their own
        "refunds",
    },
    "payroll": {"countries", "frequency", "runs"},  # a country's law is its own; runs have a life of their own
    "privacy": {"crypto", "disclosures", "vault"},  # a service to the domains rather than one of them
    "tax": {"amounts", "rates", "vat_ids"},  # published arithmetic and tables
}


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_uses_the_same_names_as_every_other(domain: str) -> None:
    """Who knows one room finds everything in the next; a name of its own is listed here with its reason."""
    names = {
        path.stem for path in (SHARED / domain).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert names - EVERYWHERE - ONLY_HERE.get(domain, set()) == set()


def test_every_folder_of_code_is_a_package() -> None:
    """Bundles find what belongs together by it."""
    folders = {path.parent for path in python_files("shared")}
    assert [place(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_every_module_says_its_one_idea() -> None:
    """The first line of a file of the product is its idea in one sentence."""
    silent = [
        path for path in python_files("shared", "functions") if not path.read_text(encoding="utf-8").startswith('"""')
    ]
    assert [place(path) for path in silent if path.stat().st_size] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    """A decision is found by its number and never disappears."""
    records = sorted(path.name for path in (ROOT / "docs" / "decisions").iterdir())
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", record) for record in records), records
    assert [int(record[:4]) for record in records] == list(range(1, len(records) + 1))


def test_a_decision_says_why_and_what_follows() -> None:
    """Context, the decision, its consequences."""
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        text = path.read_text(encoding="utf-8").lower()
        missing = [part for part in ("context", "decision", "consequence") if part not in text]
        assert not missing, f"{path.name} does not speak of {missing}"


def test_the_makefile_has_at_most_twelve_verbs_and_says_what_each_does() -> None:
    """Few enough to remember."""
    verbs = dict(makefile_verbs())
    assert 1 <= len(verbs) <= 12
    assert all(verbs.values())


def test_the_readme_names_the_two_commands_a_newcomer_types() -> None:
    """Everything else is found from there."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make run" in readme
    assert "make test" in readme


def makefile_verbs() -> Iterator[tuple[str, str]]:
    """The Makefile's targets for people, with what each is said to do."""
    makefile: Path = ROOT / "Makefile"
    for line in makefile.read_text(encoding="utf-8").splitlines():
        if (found := re.match(r"^([a-z]+):(?:[^#=]*)(?:## (.*))?$", line)) and found[1] != "help":
            yield found[1], found[2] or ""
