"""The example month, and copies of its files to break."""

import shutil
from pathlib import Path

import pytest

from emulators.catalogue import REPOSITORY
from emulators.month.files import read_month
from emulators.month.inputs import MonthInputs

EXAMPLE = REPOSITORY / "examples" / "month"


@pytest.fixture(scope="session")
def example() -> MonthInputs:
    """The month of examples/month."""
    return read_month(EXAMPLE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example's files."""
    copy = tmp_path / "month"
    shutil.copytree(EXAMPLE, copy)
    return copy
