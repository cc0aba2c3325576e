"""One month from files to report, on a local cloud that is gone afterwards, whatever happened."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from rich.console import Console

from emulators.cloud import LocalCloud
from emulators.month.checks import checked
from emulators.month.costs import business_costs, by_route
from emulators.month.drive import Drive
from emulators.month.gather import Evidence, dispatched, gather, log_lines
from emulators.month.inputs import MonthInputs
from emulators.month.report import MonthReport, Running, business_figures
from emulators.month.scale import shrunk
from emulators.month.stage import Stage


class Hooks:
    """Who looks on and interferes; this one does neither. Called from several threads at once."""

    def up(self, cloud: LocalCloud) -> None:
        """The cloud answers and is empty."""

    def delivering(self, number: int) -> None:
        """Webhook delivery `number`, counted from 1, is about to be sent."""

    def delivery_failed(self, number: int) -> None:
        """Delivery `number` got no answer, or was told to come again."""

    def finished(self, cloud: LocalCloud, inputs: MonthInputs) -> None:
        """The month is over and the cloud still up."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: at which scale, in which state folder (None: one of its own), with which variables for the doors.

    When the run fails its logs are kept in `keep_logs`.
    """

    scale: Decimal = Decimal(1)
    home: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    keep_logs: Path | None = None


def run_month(
    inputs: MonthInputs, options: Options | None = None, hooks: Hooks | None = None, console: Console | None = None
) -> MonthReport:
    """Bring a cloud up, live the month, ask what it came to, and take the cloud down.

    Raises:
        CloudFault: the cloud did not come up, a door refused, or work does not end.
    """
    options, hooks = options or Options(), hooks or Hooks()
    month = shrunk(inputs, options.scale)
    with Stage(console or Console(quiet=True)) as stage, _home(options) as home:
        year, number = map(int, month.accounting.month.split("-"))
        cloud = LocalCloud(
            home, variables=options.variables, starts_at=datetime(year, number, 1, 7, tzinfo=UTC), tell=stage.tell
        )
        with _kept(cloud, options.keep_logs) as failed:
            report = _live(cloud, month, (options, hooks, stage))
            failed[:] = [] if report.sound else ["a check does not hold"]
        return report


def _live(cloud: LocalCloud, month: MonthInputs, how: tuple[Options, Hooks, Stage]) -> MonthReport:
    options, hooks, stage = how
    with stage.timed("bring up"):
        cloud.start()
    try:
        hooks.up(cloud)
        drive = Drive(cloud, month, stage, hooks)
        with contextlib.closing(drive):
            office = drive.run()
            with stage.timed("report"):
                facts = gather(drive, office)
        hooks.finished(cloud, month)
        calls = by_route(log_lines(cloud))
        sent = dispatched(cloud)
    finally:
        with stage.timed("take down"):
            cloud.stop()
    costs = business_costs(calls, month, facts)
    running = Running(stage.seconds, drive.tally.counts, sent, calls, costs)
    evidence = Evidence(month, drive.ids, facts)
    return MonthReport(options.scale, business_figures(evidence), checked(evidence), running, evidence)


@contextlib.contextmanager
def _home(options: Options) -> Iterator[Path]:
    """The state folder: the one asked for, or one that is removed afterwards."""
    if options.home:
        yield options.home
        return
    with tempfile.TemporaryDirectory(prefix="daybook-month-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _kept(cloud: LocalCloud, folder: Path | None) -> Iterator[list[str]]:
    """Copy the logs out when the block fails, or leaves a fault in the list that it is given."""
    faults = ["it did not end"]
    try:
        yield faults
    finally:
        logs = cloud.home.log("doors").parent
        if faults and folder and logs.exists():
            shutil.copytree(logs, folder, dirs_exist_ok=True)
