"""A bounded cache for several threads."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from shared.expiring import STRIPES, Expiring
from tests.unit.http.rooms import FixedClock


def test_what_is_known_is_not_waited_for() -> None:
    """While one key is being loaded, a fresh value on the same stripe is told at once."""
    known: Expiring[int, str] = Expiring(FixedClock(), seconds=60, size=10)
    known.put({1: "fresh"})
    loading, go_on = Event(), Event()

    def load() -> str:
        loading.set()
        assert go_on.wait(30)
        return "slow"

    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(known.get, 1 + STRIPES, load)
        assert loading.wait(30)
        fresh = threads.submit(known.get, 1, lambda: "asked again")
        try:
            assert fresh.result(5) == "fresh"
        finally:
            go_on.set()
        assert slow.result(30) == "slow"


def test_threads_that_miss_the_same_key_wait_for_one_load() -> None:
    """Eight at once ask the world once."""
    known: Expiring[str, int] = Expiring(FixedClock(), seconds=60, size=10)
    loads: list[int] = []

    def load() -> int:
        loads.append(1)
        return len(loads)

    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(lambda _: known.get("key", load), range(64)))
    assert (answers, len(loads)) == ({1}, 1)
