"""Batches beside single posts and beside a close: money is conserved, and nothing lands after an answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

from shared.faults import Refused, Retryable
from shared.ledger.refusals import PeriodClosed
from shared.ledger.rules.control import Control
from shared.ledger.use_cases.batches import Mode
from shared.ports import Query, Where
from tests.builders import ACME, a_call
from tests.emulator.ledger.batching import BOTH, a_deposit, a_withdrawal, in_wallet, outcomes, post, sales, with_wallet
from tests.emulator.ledger.conftest import Bookkeeping

Work = Callable[[int], list[str]]


@dataclass
class Rivals:
    """Several instances that spend from one wallet in their own ways."""

    kept: Bookkeeping
    other: Bookkeeping

    def linked(self, number: int) -> list[str]:
        """Two withdrawals and a deposit, all or nothing."""
        name = f"l{number}"
        entries = [a_withdrawal(7, f"{name}a"), a_deposit(2, f"{name}b"), a_withdrawal(3, f"{name}c")]
        try:
            return [f"{name}{one}" for one in "abc" if post(self.kept, Mode.LINKED, entries, key=name)]
        except (Refused, Retryable):
            return []

    def independent(self, number: int) -> list[str]:
        """Three withdrawals, each by itself."""
        name = f"i{number}"
        entries = [a_withdrawal(5, f"{name}{one}") for one in "abc"]
        done = post(self.other, Mode.INDEPENDENT, entries, key=name)
        return [f"{name}{one}" for one, came in zip("abc", outcomes(done), strict=True) if came == "posted"]

    def single(self, number: int) -> list[str]:
        """One withdrawal."""
        try:
            self.kept.books.post(a_call(f"s{number}"), a_withdrawal(4, f"s{number}"))
        except (Refused, Retryable):
            return []
        return [f"s{number}"]

    def credit(self, number: int) -> list[str]:
        """One deposit."""
        self.other.books.post(a_call(f"d{number}"), a_deposit(3, f"d{number}"))
        return [f"d{number}"]


def test_batches_beside_single_posts_on_one_floored_account_conserve_money(
    kept: Bookkeeping, other: Bookkeeping
) -> None:
    """Eight threads, two instances, four ways to move money: what was answered posted is there, nothing else is."""
    with_wallet(kept, 200)
    rivals = Rivals(kept, other)
    works: list[Work] = [rivals.linked, rivals.independent, rivals.single, rivals.credit]
    with ThreadPoolExecutor(8) as pool:
        posted = [name for names in pool.map(lambda n: works[n % 4](n), range(64)) for name in names]
    entries = kept.store.query(Query("entries", ACME)).documents
    there = {str(one["cause"]) for one in entries if one["outcome"] == "posted"} - {"deposit"}
    assert set(posted) <= there
    assert in_wallet(kept) >= 0
    assert kept.proven()


@BOTH
def test_a_batch_beside_a_soft_close_lands_wholly_before_it_or_not(
    kept: Bookkeeping, other: Bookkeeping, mode: Mode
) -> None:
    """Nothing lands after the answer, and no linked batch is half applied."""
    post(kept, mode, sales(1, start=9_000), key="warm")
    begun, closed = Event(), Event()
    late: list[int] = []

    def one(number: int) -> list[str]:
        if number == 10:
            begun.set()
        began_after = closed.is_set()
        try:
            came = outcomes(post(kept, mode, sales(8, start=100 * number), key=f"b{number}"))
        except PeriodClosed:
            return ["period_closed"] * 8
        if began_after and "posted" in came:
            late.append(number)
        return came

    def close() -> None:
        begun.wait(60)
        other.controls.run(a_call("close"), Control.SOFT_CLOSE, "2026-11")
        closed.set()

    with ThreadPoolExecutor(5) as pool:
        closing = pool.submit(close)
        came = list(pool.map(one, range(40)))
        closing.result()
    assert not late
    flat = [one for answer in came for one in answer]
    assert {"posted", "period_closed"} <= set(flat), "the race was missed: all before or all after"
    posted = kept.store.aggregate(Query("entries", ACME, (Where("outcome", "==", "posted"),)))["count"]
    assert posted == flat.count("posted") + 1
    if mode is Mode.LINKED:
        assert all(len(set(answer)) == 1 for answer in came)
    assert kept.proven()
