"""The simulator holds a slice of new days each time, all days that ever failed, and finds what was planted."""

import os
import subprocess
import sys
import time
from collections import Counter
from typing import Final

import pytest

from shared.events import Command
from shared.identity import stored_id
from tests.builders import ACME
from tests.simulation.cloud import Cloud
from tests.simulation.coverage import matrix
from tests.simulation.doors import TRACE
from tests.simulation.faults import Fault
from tests.simulation.planting import Plant
from tests.simulation.plants import PLANTS
from tests.simulation.shrinking import shrink
from tests.simulation.simulation import simulate
from tests.simulation.world import CANARY, World

SLICE: Final = int(os.environ.get("DAYBOOK_SIMULATED_DAYS", "40"))  # noqa: TID251 - how long to look, for people
FIRST: Final = int(time.time()) % 10**9  # noqa: TID251 - new days each time; the number is in each test's name

ONCE_FAILED: Final = (25, 205, 425429014, 8776856, 369569, 5, 795342804, 910112)
"""Seeds that raised an alarm once. 369569, 5 and 910112 found bugs of Daybook, which the changelog names: who joined a
year's end was refused when the same request came again; an order that was refused, or was about a payment that had not
come, was carried out when it came again. Of the others what was expected was wrong (a run posted in part, one prepared
by a late copy, a series over a year's end, a floor that was being taken away, money to an account that became
somebody's since). A seed is the same day only until the workload changes.
"""


@pytest.mark.parametrize("place", range(SLICE))
def test_a_new_day_violates_nothing(place: int, worker_first: int) -> None:
    """Whatever fails: `python -m tests.simulation --seed N --log` shows it again."""
    result = simulate(worker_first + place)
    assert result.violations == (), f"python -m tests.simulation --seed {result.seed} --log"


@pytest.fixture(scope="session")
def worker_first() -> int:
    """The first seed of this run."""
    return FIRST


@pytest.mark.parametrize("seed", ONCE_FAILED)
def test_a_day_that_failed_once_violates_nothing_any_more(seed: int) -> None:
    """Regressions by seed."""
    assert simulate(seed).violations == ()


def test_a_persons_name_on_its_way_to_another_service_is_seen() -> None:
    """In a task's body, say."""
    cloud = Cloud(World(1))
    for name in ("Smith", CANARY):
        command = Command(stored_id(name), ACME, "issue_receipt", "receipts", {"name": name}, TRACE)
        cloud.house().queue.enqueue(command)
    assert cloud.world.violations == ["plaintext of a person on its way to tasks"]


def test_the_same_seed_is_the_same_day() -> None:
    """Twice in this process, and in one whose sets have another order."""
    first, again = simulate(7), simulate(7)
    assert first.trace == again.trace
    assert first.steps > 300
    script = "from tests.simulation.simulation import simulate; print(simulate(7).trace)"
    environment = {**os.environ, "PYTHONHASHSEED": "99"}  # noqa: TID251 - a process of its own
    done = subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-c", script), capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split()[-1] == first.trace


def test_another_seed_is_another_day() -> None:
    """Or the seeds would prove the same thing a thousand times."""
    assert len({simulate(seed).trace for seed in range(3)}) == 3


def test_every_fault_strikes_where_it_can() -> None:
    """Thirty days: each kind of fault happens, and an empty cell of the matrix says why it is empty."""
    results = [simulate(seed) for seed in range(30)]
    kinds: Counter[Fault] = Counter()
    for result in results:
        for (_, fault), times in result.faults.items():
            kinds[fault] += times
    assert set(Fault) - kinds.keys() <= {Fault.EVENT_DEAD, Fault.EXHAUSTED}
    cells = matrix(results)
    for fault in (Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.LATE, Fault.TWICE, Fault.KILLED, Fault.KILLED_AFTER):
        assert isinstance(cells["POST /v1/ledger/entries", fault], int), fault
    assert cells["issue_receipt", Fault.WEBHOOK_FORGED] == "no webhook"


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_bug_still_stands_in_the_products_text(plant: Plant) -> None:
    """A plant whose text has changed is to be planted again."""
    for file, text in plant.sources().values():
        compile(text, file, "exec")


@pytest.mark.parametrize("name", ["payment_told_twice_received_twice", "one_total_forgotten", "aad_missing"])
def test_a_planted_bug_is_found(name: str) -> None:
    """Some of them; `python -m tests.simulation --plants` takes all."""
    command = (sys.executable, "-m", "tests.simulation", "--plant", name, "--most", "60")
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_planted_bug_shrinks_to_few_faults() -> None:
    """What is left of a failing day is a short script that fails again."""
    assert shrink(7) is None
    script = (
        "from tests.simulation.planting import plant; from tests.simulation.plants import PLANTS\n"
        "plant(next(one for one in PLANTS if one.name == 'old_signature_taken'))\n"
        "from tests.simulation.shrinking import shrink\n"
        "from tests.simulation.simulation import simulate\n"
        "days = (one for one in map(simulate, range(200)) if one.violations and 5 < len(one.script) < 30)\n"
        "whole = next(days)\n"
        "seed, small = whole.seed, shrink(whole.seed)\n"
        "again = simulate(seed, allowed=frozenset(number for number, _, _ in small.script))\n"
        "assert again.trace == small.trace\n"
        "print(len(whole.script), len(small.script))\n"
    )
    done = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr[-2000:]
    whole, small = map(int, done.stdout.split()[-2:])
    assert small < whole
    assert small <= 5
