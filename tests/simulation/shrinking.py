"""A failing seed with as few of its faults as still make it fail."""

from collections.abc import Iterator
from typing import Final

from tests.simulation.simulation import Result, simulate

ALONE: Final = 60
"""Faults that are tried alone: many days fail for one of them."""


def shrink(seed: int) -> Result | None:
    """The smallest failing run found; None when the seed does not fail.

    None of the faults, or one alone, is tried first; then halves are left out, then quarters, down to single ones. One
    alone is any that the calm day would have drawn: where others are left out the day goes another way, and the fault
    that made it fail comes under another number.
    """
    smallest = simulate(seed)
    if not smallest.violations:
        return None
    for allowed in _few():
        result = simulate(seed, allowed=allowed)
        if result.violations:
            return result
        if len(result.script) < len(allowed):
            break
    size = max(1, len(smallest.script) // 2)
    while True:
        smaller = _without_some(smallest, size)
        if smaller is not None:
            smallest = smaller
            size = max(1, min(size, len(smallest.script) // 2))
        elif size == 1:
            return smallest
        else:
            size //= 2


def _few() -> Iterator[frozenset[int]]:
    yield frozenset()
    yield from (frozenset({number}) for number in range(1, ALONE + 1))


def _without_some(failing: Result, size: int) -> Result | None:
    """The run without so many of its faults, if it fails all the same."""
    numbers = [number for number, _, _ in failing.script]
    for start in range(0, len(numbers), size):
        kept = frozenset(numbers[:start] + numbers[start + size :])
        result = simulate(failing.seed, allowed=kept)
        if result.violations and len(result.script) < len(numbers):
            return result
    return None
