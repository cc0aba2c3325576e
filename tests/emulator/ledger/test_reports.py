"""Reports of one instant: never torn, whatever is posted, closed or carried forward meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from threading import Event

from shared.faults import Refused, Retryable
from shared.ledger.rules.control import Control
from shared.ledger.use_cases.carry import CarryForward
from tests.builders import ACME, NOON, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping


def test_a_trial_balance_is_never_torn(kept: Bookkeeping, other: Bookkeeping) -> None:
    """While months are posted to, closed and carried forward, every look balances and no look goes back."""
    stop = Event()

    def post_on() -> None:
        number = 0
        while not stop.is_set() and number < 600:
            sale = a_sale(1, name=f"s{number}", on=date(2026, 1 + number % 6, 1 + number % 28))
            with suppress(Refused):
                other.books.post(a_call(f"s{number}"), sale)
            number += 1

    looks = []
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(post_on)
        for month in ("2026-01", "2026-02", "2026-03"):
            kept.controls.run(a_call(f"close-{month}"), Control.HARD_CLOSE, month)
            with suppress(Retryable):
                CarryForward(kept.desk).carry(ACME)
            looks += [kept.reports.trial_balance(ACME, "2026-12") for _ in range(5)]
        stop.set()
        posting.result()
    assert CarryForward(kept.desk).carry(ACME) == "2026-03"
    looks.append(kept.reports.trial_balance(ACME, "2026-12"))
    assert [look.out_of_balance for look in looks if any(look.out_of_balance.values())] == []
    debits = [sum(row.debits for row in look.rows) for look in looks]
    assert debits == sorted(debits)
    assert debits[0] < debits[-1], "nothing was posted meanwhile"
    assert kept.proven()


def test_reports_at_the_end_of_a_day_leave_out_what_came_after(kept: Bookkeeping) -> None:
    """The same rows as a month's, cut off within it."""
    for day in (1, 16, 28):
        kept.books.post(a_call(f"d{day}", at=NOON), a_sale(day, name=f"d{day}", on=date(2026, 11, day)))
    trial = kept.reports.trial_balance(ACME, "2026-11", date(2026, 11, 16))
    assert [row.debits + row.credits for row in trial.rows] == [17, 17]
    assert kept.reports.balance_sheet(ACME, "2026-11", date(2026, 11, 1)).unclosed_income == {"EUR": 1}
    assert kept.reports.balance_sheet(ACME, "2026-11").unclosed_income == {"EUR": 45}
