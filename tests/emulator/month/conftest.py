"""Small months, each on a local cloud of its own: one that nobody disturbs, one whose personal data is not sealed."""

from decimal import Decimal
from pathlib import Path

import pytest

from emulators.catalogue import REPOSITORY
from emulators.cloud import LocalCloud
from emulators.month.files import read_month
from emulators.month.inputs import MonthInputs
from emulators.month.report import MonthReport
from emulators.month.run import Hooks, Options, run_month
from tests.emulator.month.exposure import Exposure, everything_kept

SCALE = Decimal("0.05")


class Looking(Hooks):
    """Keeps all that a cloud holds when its month is over."""

    def __init__(self) -> None:
        self.exposure = Exposure({})
        self.inputs: MonthInputs | None = None

    def finished(self, cloud: LocalCloud, inputs: MonthInputs) -> None:
        """Take everything along before it is gone."""
        self.exposure, self.inputs = everything_kept(cloud), inputs


@pytest.fixture(scope="session")
def example() -> MonthInputs:
    """The month of examples/month."""
    return read_month(REPOSITORY / "examples" / "month")


@pytest.fixture(scope="session")
def undisturbed(example: MonthInputs, tmp_path_factory: pytest.TempPathFactory) -> tuple[MonthReport, Looking]:
    """A small month that ran as it should, and what its cloud held in the end."""
    looking = Looking()
    home: Path = tmp_path_factory.mktemp("month")
    return run_month(example, Options(SCALE, home), looking), looking


@pytest.fixture(scope="session")
def unsealed(example: MonthInputs) -> tuple[MonthReport, Looking]:
    """The same month with sealing switched off."""
    looking = Looking()
    options = Options(SCALE, variables={"DAYBOOK_SEAL_PERSONAL_DATA": "no"})
    return run_month(example, options, looking), looking
