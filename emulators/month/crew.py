"""Several hands at once, never more: the first fault stops the rest and is what is raised."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Final, TypeVar

HANDS: Final = 8
"""Requests under way at once."""

T = TypeVar("T")
R = TypeVar("R")


def together(work: Callable[[T], R], items: Sequence[T], done: Callable[[], None] = lambda: None) -> list[R]:
    """The results of `work` in the order of the items; `done` is called after each.

    Raises:
        Exception: whatever `work` raised first.
    """

    def one(item: T) -> R:
        result = work(item)
        done()
        return result

    pool = ThreadPoolExecutor(HANDS, thread_name_prefix="hand")
    try:
        futures = [pool.submit(one, item) for item in items]
        finished, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in finished:
            future.result()
        return [future.result() for future in futures]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
