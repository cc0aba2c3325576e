import os
import re
from typing import Any

import pytest
import yaml

from tests.infra.configuration import ROOT

BUILD: dict[str, Any] = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text(encoding="utf-8"))
SCRIPTS = {step["id"]: step.get("script", "") for step in BUILD["steps"]}
VERBS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_every_verb_that_is_called_is_in_the_makefile() -> None:
    """CI types what people type."""
    called = {verb for script in SCRIPTS.values() for verb in re.findall(r"^\s*make ([a-z]+)", script, re.MULTILINE)}
    assert {"check", "test", "build"} <= called
    assert called <= VERBS


def test_nothing_is_planned_before_it_was_checked_tested_and_built() -> None:
    """The steps stand in that order, one after the other."""
    order = [step["id"] for step in BUILD["steps"]]
    assert order == ["check", "test", "build", "plan"]
    assert not [step for step in BUILD["steps"] if "waitFor" in step]


def test_every_substitution_is_declared_and_used() -> None:
    """Nothing is left for the service to guess."""
    text = (ROOT / "cloudbuild.yaml").read_text(encoding="utf-8")
    used = set(re.findall(r"\$\{?(_[A-Z_]+)", text))
    assert used == set(BUILD["substitutions"])


@pytest.mark.parametrize("command", ["make check", "make test"])
def test_ci_types_the_readmes_commands(command: str) -> None:
    """.ci/run prepares the machine and then does what a person does."""
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    assert command in run.read_text(encoding="utf-8").splitlines()
    assert "make test" in run.read_text(encoding="utf-8").splitlines()[-1]
