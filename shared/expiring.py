"""What was looked up stays known for a stated time, and no longer: a bounded cache for several threads."""

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Generic, TypeVar

from shared.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

STRIPES: Final = 16


class Expiring(Generic[K, V]):
    """Values by key, each for `seconds` after it was loaded, never more than `size` of them.

    What fails to load is not kept. Threads that miss the same key wait for one load.
    """

    def __init__(self, clock: Clock, *, seconds: int, size: int) -> None:
        self._clock, self._life, self._size = clock, timedelta(seconds=seconds), size
        self._values: dict[K, tuple[datetime, V]] = {}
        self._lock = Lock()
        self._loading = tuple(Lock() for _ in range(STRIPES))

    def get(self, key: K, load: Callable[[], V]) -> V:
        """The value under a key, loaded when it is not known or known for too long; raises what `load` raises."""
        known = self.peek(key)
        if known is not None:
            return known
        with self._loading[hash(key) % STRIPES]:
            known = self.peek(key)
            if known is None:
                known = load()
                self.put({key: known})
            return known

    def peek(self, key: K) -> V | None:
        """The value if it is known and fresh."""
        with self._lock:
            kept = self._values.get(key)
            if kept is None or not timedelta() <= self._clock.now() - kept[0] < self._life:
                return None
            return kept[1]

    def put(self, values: Mapping[K, V]) -> None:
        """Remember values from now on; the oldest make room."""
        now = self._clock.now()
        with self._lock:
            for key, value in values.items():
                self._values.pop(key, None)
                self._values[key] = (now, value)
            while len(self._values) > self._size:
                del self._values[next(iter(self._values))]
