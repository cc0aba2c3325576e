import os
import signal
import threading
from collections import Counter

import pytest

from emulators.cloud import LocalCloud
from emulators.month.expectations import events
from emulators.month.inputs import MonthInputs
from emulators.month.partner import TELLINGS
from emulators.month.report import MonthReport
from emulators.month.run import Hooks, Options, run_month
from emulators.month.scale import shrunk
from tests.emulator.month.conftest import SCALE, Looking

pytestmark = pytest.mark.emulator


class KillTheHost(Hooks):
    """Stops the functions host while deliveries are in it, kills it with -9, and starts it when one has failed."""

    def __init__(self, number: int) -> None:
        self._number, self._lock = number, threading.Lock()
        self._stopped = self.killed = self.restarted = False
        self._begun: set[int] = set()
        self._in_flight: set[int] = set()
        self.hit: set[int] = set()

    def up(self, cloud: LocalCloud) -> None:
        """Remember whom to kill."""
        self._cloud = cloud

    def delivering(self, number: int) -> None:
        """The chosen delivery finds the host frozen; the next one kills it under those that wait in it."""
        with self._lock:
            if self._stopped and not self.killed:
                self._kill()
            elif number == self._number and not self._stopped:
                os.killpg(self._cloud.host_pid, signal.SIGSTOP)
                self._stopped = True
            self._begun.add(number)

    def delivery_failed(self, number: int) -> None:
        """The first to fail brings the host back; whoever was in it when it was killed was hit."""
        with self._lock:
            if not self.killed:
                self._kill()
            self.hit |= {number} & self._in_flight
            if not self.restarted:
                self._cloud.start_host()
                self.restarted = True

    def _kill(self) -> None:
        self._in_flight = set(self._begun)
        self._cloud.kill_host()
        self.killed = True


def middle_of_the_busiest_day(inputs: MonthInputs) -> int:
    """The number of a delivery with others before and after it on its day."""
    days = Counter(event.settlement.delivered_on for event in events(inputs))
    busiest = max(days, key=lambda day: days[day])
    before = sum(count for day, count in days.items() if day < busiest) * TELLINGS
    return before + days[busiest]


def test_a_host_killed_among_payments_changes_no_figure(
    example: MonthInputs, undisturbed: tuple[MonthReport, Looking]
) -> None:
    """Kill -9 in the payment phase and a restart: the month comes to the same, to the penny."""
    killing = KillTheHost(middle_of_the_busiest_day(shrunk(example, SCALE)))
    report = run_month(example, Options(SCALE), killing)
    assert killing.killed
    assert killing.restarted
    assert killing.hit, "no delivery was in the host when it was killed"
    assert [check for check in report.checks if not check.holds] == []
    assert report.business == undisturbed[0].business
