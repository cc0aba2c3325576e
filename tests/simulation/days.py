"""Days as workers run them, and what all of them came to. It imports nothing of the product before a bug is planted."""

import logging
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from tests.simulation.simulation import Result


def run_seed(seed: int) -> "Result":
    """One seed, in this process."""
    from tests.simulation.simulation import simulate  # noqa: PLC0415 - only now

    return simulate(seed)


def quiet() -> None:
    """Nothing is logged: what the product says of faults is wanted here."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def summarised(results: "Sequence[Result]", seconds: float) -> dict[str, Any]:
    """What build/simulate.json says."""
    kinds: Counter[str] = Counter()
    for result in results:
        for (_, fault), times in result.faults.items():
            kinds[fault.value] += times
    hours = sum(result.virtual_hours for result in results)
    return {
        "seeds": len(results),
        "first_seed": results[0].seed,
        "violations": sum(bool(result.violations) for result in results),
        "failed": {result.seed: result.violations for result in results if result.violations},
        "steps": sum(result.steps for result in results),
        "handlers": sum(result.handled for result in results),
        "median_steps": median(result.steps for result in results),
        "faults": sum(kinds.values()),
        "median_faults": median(sum(result.faults.values()) for result in results),
        "faults_by_kind": dict(kinds.most_common()),
        "virtual_days": round(hours / 24, 1),
        "seconds": round(seconds, 1),
        "virtual_per_real": round(hours * 3_600 / seconds),
    }
