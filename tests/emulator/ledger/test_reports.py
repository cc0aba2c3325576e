"""Reports of one instant: never torn, whatever is posted, closed or carried forward meanwhile.

`DAYBOOK_REPORT_PAIRS=500 python -m pytest tests/emulator/ledger/test_reports.py` shows reads of 1,000 accounts.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date
from threading import Event

from shared import counters
from shared.faults import Refused, Retryable
from shared.ledger.model import Account, AccountType, EntryKind, JournalEntry, Period, PeriodState, month_of
from shared.ledger.records import TotalsKey, create_account, period_ref, write_period
from shared.ledger.rules.control import Control
from shared.ledger.rules.posting import plan_fast
from shared.ledger.use_cases.carry import CarryForward
from shared.ports import Create, Decision, Increment, Query, View, Write
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


PAIRS = int(os.environ.get("DAYBOOK_REPORT_PAIRS", "15"))  # noqa: TID251 - 500 shows 1,000 accounts, in 40 s
"""Assets, and as many revenues."""


def test_a_trial_balance_reads_a_document_an_account_however_many_the_months(kept: Bookkeeping) -> None:
    """Over 12 and over 36 closed months: the same reads but for the periods, of which there are more."""
    accounts = [
        Account(f"{kind.value}:n{number}", kind, "N", shards=1)
        for number in range(PAIRS)
        for kind in (AccountType.ASSET, AccountType.REVENUE)
    ]
    chart = tuple(write for account in accounts for write in create_account(ACME, account))
    for start in range(0, len(chart), 500):
        kept.store.transact((), lambda _, start=start: Decision(None, chart[start : start + 500]))  # type: ignore[misc]
    by_code = {account.code: account for account in accounts}
    extra = []
    for first, last in ((0, 12), (12, 36)):
        for month in range(first, last):
            on = date(2023 + month // 12, month % 12 + 1, 28)
            sales = [
                a_sale(month + 1, to=f"asset:n{number}", of=f"revenue:n{number}", name=f"s{number}-{on}", on=on)
                for number in range(PAIRS)
            ]
            kept.store.transact((), lambda _, on=on, sales=sales: Decision(None, month_of_sales(on, sales, by_code)))  # type: ignore[misc]
        assert CarryForward(kept.desk).carry(ACME) == f"{2022 + last // 12}-12"
        operations = counters.begin()
        trial = kept.reports.trial_balance(ACME, "2026-11")
        assert {row.debits + row.credits for row in trial.rows} == {last * (last + 1) // 2}
        assert len(trial.rows) == 2 * PAIRS
        extra.append(operations.reads - last)
    chart_size = len(kept.store.query(Query("accounts", ACME)).documents)
    nothing_since = 1
    one_more_a_page = PAIRS // 125  # to know whether it is the last: none of so few that they are one page
    wanted = chart_size + 1 + 2 * PAIRS + nothing_since
    assert extra[0] == extra[1], "months make no difference"
    assert 0 <= extra[0] - wanted <= one_more_a_page, "the chart, the chain, a carried document an account"


def month_of_sales(on: date, sales: Sequence[JournalEntry], accounts: Mapping[str, Account]) -> tuple[Write, ...]:
    """A month as its hard close leaves it: the entries, their totals retired, the period closed."""
    month = month_of(on)
    period = Create(period_ref(ACME, month), write_period(Period(month, PeriodState.HARD_CLOSED)))
    plans = [plan_fast(ACME, sale, accounts, View({})) for sale in sales]
    writes = [write for plan in plans if plan for write in plan.writes if write.ref.collection != "shifts"]
    retired = [
        replace(write, must_exist=False, fields=key_of(write).fields(closed=True))
        if isinstance(write, Increment)
        else write
        for write in writes
    ]
    return (period, *retired)


def key_of(totals: Increment) -> TotalsKey:
    """The six parts of a totals document's name."""
    account, currency, month, kind, version, shard = totals.ref.key.split("~")
    return TotalsKey(account, currency, month, EntryKind(kind), int(version[1:]), int(shard))
