"""`make simulate`: many seeds, each a day of a cloud that fails; build/simulate.json and exit code 1 on a violation.

python -m tests.simulation                        seeds from a new place, SEEDS of them (1,000)
python -m tests.simulation --seed 17 --log        one seed again, with all that happened
python -m tests.simulation --seed 17 --only 3,8   the same with these of its faults alone
python -m tests.simulation --shrink 17            which of its faults it takes
python -m tests.simulation --plants               every planted bug, and how many seeds it lived
"""

import argparse
import json
import os
import secrets
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import track

from tests.simulation.days import quiet, run_seed, summarised
from tests.simulation.planting import plant
from tests.simulation.plants import PLANTS

if TYPE_CHECKING:
    from tests.simulation.simulation import Result

FILE: Final = Path(__file__).resolve().parents[2] / "build" / "simulate.json"
SEEDS: Final = 1_000
MOST: Final = 400
"""Seeds after which a planted bug counts as not found."""

console = Console(emoji=False)


def main(arguments: Sequence[str]) -> int:
    """Do what was asked for."""
    asked = _parsed(arguments)
    if asked.plant:
        plant({one.name: one for one in PLANTS}[asked.plant])
        return _lived(asked.plant, range(asked.most))
    if asked.plants:
        return _plants(asked.jobs, asked.names)
    if asked.shrink is not None:
        return _shrink(asked.shrink)
    if asked.seed is not None:
        return _one(asked.seed, asked.only, log=asked.log)
    first = secrets.randbelow(10**9) if asked.first is None else asked.first
    return _many(range(first, first + asked.seeds), asked.jobs)


def _parsed(arguments: Sequence[str]) -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first", type=int, help="the first seed; a new one when left out")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, help="one seed alone")
    parser.add_argument("--only", default="", help="numbers of the faults that may happen")
    parser.add_argument("--log", action="store_true")
    parser.add_argument("--shrink", type=int, metavar="SEED")
    parser.add_argument("--plant", default="", help="a planted bug")
    parser.add_argument("--plants", action="store_true")
    parser.add_argument("--names", nargs="*", default=[], help="of the planted bugs, these")
    parser.add_argument("--most", type=int, default=MOST)
    return parser.parse_args(arguments)


# --- many seeds --------------------------------------------------------------------------


def _many(seeds: range, jobs: int) -> int:
    begun = time.monotonic()
    console.print(f"seeds {seeds.start} to {seeds.stop - 1}")
    results = list(track(_simulated(seeds, jobs), "days", len(seeds), console=console))
    took = time.monotonic() - begun
    summary = summarised(results, took)
    FILE.parent.mkdir(exist_ok=True)
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    FILE.write_text(json.dumps({"planted": known.get("planted"), **summary}, indent=2), encoding="utf-8")
    from tests.simulation.coverage import show  # noqa: PLC0415 - nothing of the product is imported before a plant

    show(console, results)
    console.print({name: value for name, value in summary.items() if name not in {"faults_by_kind", "failed"}})
    for result in results:
        for violation in result.violations:
            console.print(f"[red]{violation}[/red]: python -m tests.simulation --seed {result.seed} --log")
    return 1 if any(result.violations for result in results) else 0


def _simulated(seeds: Iterable[int], jobs: int) -> "Iterable[Result]":
    os.environ["PYTHONHASHSEED"] = "0"  # noqa: TID251 - the order of sets is chance, too, and a worker's is fixed
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=quiet) as pool:
        yield from pool.map(run_seed, seeds, chunksize=4)


# --- one seed ----------------------------------------------------------------------------


def _one(seed: int, only: str, *, log: bool) -> int:
    quiet()
    from tests.simulation.simulation import simulate  # noqa: PLC0415 - as above

    allowed = frozenset(map(int, only.split(","))) if only else None
    result = simulate(seed, allowed=allowed, log=log)
    for line in result.log:
        console.print(line, highlight=False, markup=False)
    for number, where, fault in result.script:
        console.print(f"fault {number}: {fault.value}, {where}")
    console.print(f"seed {seed}: {result.steps} steps, trace {result.trace}, {result.violations or 'no violation'}")
    return 1 if result.violations else 0


def _shrink(seed: int) -> int:
    quiet()
    from tests.simulation.shrinking import shrink  # noqa: PLC0415 - as above

    smallest = shrink(seed)
    if smallest is None:
        console.print(f"seed {seed} violates nothing")
        return 0
    for number, where, fault in smallest.script:
        console.print(f"fault {number}: {fault.value}, {where}")
    only = ",".join(str(number) for number, _, _ in smallest.script)
    console.print(f"{smallest.violations[0]}: python -m tests.simulation --seed {seed} --only {only or '0'} --log")
    return 1


# --- planted bugs ------------------------------------------------------------------------


def _lived(name: str, seeds: Iterable[int]) -> int:
    """How many seeds a planted bug lived in this process; exit code 1 when none found it."""
    quiet()
    for number, seed in enumerate(seeds, 1):
        result = run_seed(seed)
        if result.violations:
            found = {"plant": name, "seeds": number, "seed": seed, "by": result.violations[0]}
            console.print(json.dumps(found), highlight=False, markup=False, soft_wrap=True)
            return 0
    console.print(json.dumps({"plant": name, "seeds": None}))
    return 1


def _plants(jobs: int, names: Sequence[str]) -> int:
    import subprocess  # noqa: PLC0415 - here only
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as above

    wanted = [one.name for one in PLANTS if not names or one.name in names]

    def lived(name: str) -> dict[str, Any]:
        command = (sys.executable, "-m", "tests.simulation", "--plant", name)
        environment = {**os.environ, "PYTHONHASHSEED": "0", "COLUMNS": "1000"}  # noqa: TID251 - a process of its own
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
        lines = done.stdout.strip().splitlines()
        return dict(json.loads(lines[-1])) if lines else {"plant": name, "seeds": None, "by": done.stderr[-300:]}

    with ThreadPoolExecutor(jobs) as pool:
        found = list(track(pool.map(lived, wanted), "planted bugs", len(wanted), console=console))
    for one in found:
        console.print(
            f"{one['plant']}: {one['seeds'] or 'NOT FOUND'} {one.get('by', '')}",
            highlight=False,
            markup=False,
        )
    missed = [one for one in found if not one["seeds"]]
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    planted = {
        "found": len(found) - len(missed),
        "total": len(found),
        "seeds": {one["plant"]: one["seeds"] for one in found},
    }
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps({**known, "planted": planted}, indent=2), encoding="utf-8")
    console.print(f"{planted['found']} of {planted['total']} found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
