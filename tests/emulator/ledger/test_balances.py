"""Balances on any day, by effective and by posting day, and carried forward, on the real emulator."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from random import Random  # noqa: TID251 - seeded, the same every time
from typing import Any

import pytest

from shared import counters
from shared.faults import Refused, Retryable
from shared.gcp.rpc import RpcFailed
from shared.ledger.model import EntryKind, JournalEntry, Side
from shared.ledger.rules.balances import View
from shared.ledger.rules.carry import chain_ref, read_chain, repaired
from shared.ledger.rules.control import Control
from shared.ledger.use_cases import carry as carrying
from shared.ledger.use_cases.balances import Balances
from shared.ledger.use_cases.carry import CarryForward
from shared.ports import Decision, Query, Where
from tests.builders import ACME, NOON, SALES, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.lines import Commit, first, held, lost, unsent

RECEIVABLE = "assets:receivable"
BOTH = (View.EFFECTIVE, View.POSTED)


def post(kept: Bookkeeping, name: str, amount: int, effective: date, posted: date) -> JournalEntry:
    """Post a sale by a call of a day."""
    at = NOON + (posted - NOON.date())
    return kept.books.post(a_call(name, at=at), a_sale(amount, name=name, on=effective)).answer.entry


def balance(kept: Bookkeeping, on: date, view: View = View.EFFECTIVE, code: str = RECEIVABLE) -> int:
    """What stands on an account in euro at the end of a day."""
    rows = Balances(kept.desk).on(ACME, code, on, view).rows
    return sum(row.amount for row in rows if row.currency == "EUR")


def fold(journal: Iterable[JournalEntry], on: date, view: View) -> int:
    """What the receivable must stand at."""
    days = ((entry, entry.effective_on if view is View.EFFECTIVE else entry.posting_day) for entry in journal)
    lines = [line for entry, day in days if day <= on for line in entry.lines if line.account == RECEIVABLE]
    return sum(line.money.amount if line.side is Side.DEBIT else -line.money.amount for line in lines)


def close(kept: Bookkeeping, month: str, key: str = "") -> None:
    """Close a month for good."""
    kept.controls.run(a_call(f"close-{month}{key}"), Control.HARD_CLOSE, month)


def year_of_sales(kept: Bookkeeping) -> list[JournalEntry]:
    """A sale on each 16th of 2026 so far, posted a day late."""
    days = [date(2026, month, 16) for month in range(1, 11)]
    return [post(kept, f"sale-{day}", day.month, day, day + timedelta(days=1)) for day in days]


def test_a_balance_on_any_day_is_the_fold_of_the_entries(kept: Bookkeeping) -> None:
    """Backdated, postdated and posted on the day, in both views, over live and closed totals."""
    chance = Random(7)  # noqa: S311 - as above
    days = [date(2026, 9, 28) + timedelta(days=number) for number in range(40)]
    journal = []
    for number in range(40):
        effective, posted = chance.choice(days), chance.choice(days)
        journal.append(post(kept, f"e{number}", chance.randint(1, 10**12), effective, posted))
    kept.controls.run(a_call("freeze"), Control.FREEZE, RECEIVABLE)
    kept.controls.run(a_call("unfreeze"), Control.UNFREEZE, RECEIVABLE)
    journal += [post(kept, f"f{number}", 5, chance.choice(days), days[-1]) for number in range(5)]
    for on in [days[0] - timedelta(days=1), *days, days[-1] + timedelta(days=90)]:
        for view in BOTH:
            assert balance(kept, on, view) == fold(journal, on, view), (on, view)


def test_an_entry_of_its_own_day_still_costs_three_writes_and_its_audit(kept: Bookkeeping) -> None:
    """Shifts are paid for by entries that need them."""
    written = []
    for name, on in (("same", NOON.date()), ("back", NOON.date() - timedelta(days=1)), ("far", date(2026, 10, 1))):
        for attempt in range(200):  # until a posting finds the documents of its shards there
            operations = counters.begin()
            kept.books.post(a_call(f"{name}-{attempt}"), a_sale(name=f"{name}-{attempt}", on=on))
            if operations.reads == 0:
                break
        written.append(operations.writes)
    assert written == [4, 6, 8]


@pytest.mark.parametrize("landed", [True, False])
def test_redelivered_after_midnight_it_lands_once_on_one_posting_day(kept: Bookkeeping, *, landed: bool) -> None:
    """Whichever delivery landed says the posting day, and the shifts say the same."""
    today, tomorrow = NOON.date(), NOON.date() + timedelta(days=1)
    post(kept, "warm", 1, today, today)
    sale = a_sale(100, name="sale", on=today)
    kept.line.commits = [lands_and_dies if landed else unsent] * 9
    with pytest.raises(Killed if landed else Retryable):
        kept.books.post(a_call("sale"), sale)
    kept.line.commits.clear()
    again = kept.books.post(a_call("sale", at=NOON + timedelta(days=1)), sale).answer.entry
    assert again.posting_day == (today if landed else tomorrow)
    assert balance(kept, today) == 101
    assert balance(kept, today, View.POSTED) == (101 if landed else 1)
    assert balance(kept, tomorrow, View.POSTED) == 101
    of_months = Query("shifts", ACME, (Where("month", ">", ""),))
    assert len(kept.store.query(of_months).documents) == (0 if landed else 2)
    assert kept.proven()


class Killed(BaseException):
    """The instance dies here."""


def dies() -> None:
    """Die as a killed process does: no handler of ours runs for it."""
    raise Killed


def lands_and_dies(commit: Commit) -> Any:
    """The commit is applied, and whoever sent it is no more."""
    commit()
    dies()


def test_a_commit_of_yesterday_that_lands_late_excludes_the_redelivery(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The redelivered posting finds it, and its posting day stands; nothing is shifted twice."""
    today, tomorrow = NOON.date(), NOON.date() + timedelta(days=1)
    accounts = {"to": "expenses:bank_charges", "of": "equity:share_capital"}  # of one shard each
    sale = a_sale(100, name="sale", on=today - timedelta(days=3), **accounts)
    kept.books.post(a_call("warm"), a_sale(1, name="warm", on=sale.effective_on, **accounts))
    late: list[Commit] = []
    kept.line.commits = [held(late, dies)]
    with pytest.raises(Killed):
        kept.books.post(a_call("sale"), sale)
    other.line.commits = [first(late.pop())]
    again = other.books.post(a_call("sale", at=NOON + timedelta(days=1)), sale).answer.entry
    assert again.posting_day == today
    expected = {(today, View.EFFECTIVE): 101, (today, View.POSTED): 101, (tomorrow, View.POSTED): 101}
    assert {key: balance(other, *key, accounts["to"]) for key in expected} == expected
    assert balance(other, today - timedelta(days=1), View.POSTED, accounts["to"]) == 0
    assert other.proven()


# --- carried forward ---------------------------------------------------------------------


def test_carried_balances_say_the_same_and_cost_the_months_since(kept: Bookkeeping) -> None:
    """After the closed months are carried, a balance reads one document for all of them."""
    journal = year_of_sales(kept)
    days = [date(2026, month, day) for month in range(1, 12) for day in (1, 16, 28)] + [date(2026, 9, 30)]
    before = {(day, view): balance(kept, day, view) for day in days for view in BOTH}
    chart, periods, chain = len(kept.store.query(Query("accounts", ACME)).documents), 10, 1
    operations = counters.begin()
    trial = kept.reports.trial_balance(ACME, "2026-11")
    uncarried_reads = operations.reads
    for month in range(1, 10):
        close(kept, f"2026-{month:02d}")
    assert CarryForward(kept.desk).carry(ACME) == "2026-09"
    assert {(day, view): balance(kept, day, view) for day in days for view in BOTH} == before
    assert before == {(day, view): fold(journal, day, view) for day in days for view in BOTH}
    operations = counters.begin()
    assert kept.reports.trial_balance(ACME, "2026-11") == trial
    carried, since = 2, 2  # two accounts moved; their totals of October, one shard each
    assert operations.reads == chart + periods + chain + carried + since
    assert uncarried_reads == chart + periods + chain + 10 * since


def test_every_close_carries_on_from_the_last_stop(kept: Bookkeeping) -> None:
    """Month by month: each stop stays, so that any past day is one month from one."""
    year_of_sales(kept)
    for month in ("2026-01", "2026-02", "2026-03"):
        close(kept, month)
        assert CarryForward(kept.desk).carry(ACME) == month
    assert CarryForward(kept.desk).carry(ACME) == "2026-03", "again there is nothing to do"
    chain = read_chain(kept.store.get([chain_ref(ACME)])[chain_ref(ACME)])
    assert chain.stops == ("2026-01", "2026-02", "2026-03")
    assert [balance(kept, date(2026, month, 28)) for month in (1, 2, 3, 4)] == [1, 3, 6, 10]


@pytest.mark.parametrize("carried_between", [True, False])
def test_a_backdated_posting_into_a_reopened_month_is_seen_at_once(kept: Bookkeeping, *, carried_between: bool) -> None:
    """Readers stop believing what was carried from the reopened month on, and again when it is carried again."""
    year_of_sales(kept)
    for month in ("2026-01", "2026-02", "2026-03"):
        close(kept, month)
    CarryForward(kept.desk).carry(ACME)
    kept.controls.run(a_call("reopen"), Control.REOPEN, "2026-02")
    post(kept, "late", 100, date(2026, 2, 20), NOON.date())
    expected = [1, 103, 106, 110]
    days = [date(2026, month, 28) for month in (1, 2, 3, 4)]
    assert [balance(kept, day) for day in days] == expected
    if carried_between:
        assert CarryForward(kept.desk).carry(ACME) == "2026-01"
        assert [balance(kept, day) for day in days] == expected
    close(kept, "2026-02", "-again")
    assert [balance(kept, day) for day in days] == expected, "closed again and not carried again yet"
    assert CarryForward(kept.desk).carry(ACME) == "2026-03"
    assert [balance(kept, day) for day in days] == expected
    assert [balance(kept, day, View.POSTED) for day in days] == [1, 3, 6, 10]


def test_a_month_that_nobody_knew_of_counts_too(kept: Bookkeeping) -> None:
    """A posting before everything that was carried opens its month, and readers see it."""
    year_of_sales(kept)
    close(kept, "2026-01")
    CarryForward(kept.desk).carry(ACME)
    post(kept, "ancient", 100, date(1999, 5, 5), NOON.date())
    assert balance(kept, date(2026, 1, 31)) == 101
    assert CarryForward(kept.desk).carry(ACME) is None, "a month is open before all that was closed"
    assert balance(kept, date(2026, 1, 31)) == 101


def test_a_repair_makes_readers_add_up_again(kept: Bookkeeping) -> None:
    """What was carried before a repair of totals does not count any more."""
    year_of_sales(kept)
    close(kept, "2026-01")
    carry = CarryForward(kept.desk)
    carry.carry(ACME)
    totals = kept.store.query(Query("totals", ACME, (Where("account", "==", RECEIVABLE),))).documents
    closed = next(document for document in totals if document["closed"])
    damage = replace(repaired(ACME), ref=closed.ref, amounts={("debits",): 7, ("d", "16", "debits"): 7}, fields={})
    kept.store.transact((), lambda _: Decision(None, (damage,)))
    assert balance(kept, date(2026, 1, 31)) == 1, "carried, so the totals are not asked"
    kept.store.transact((), lambda _: Decision(None, (repaired(ACME),)))
    assert balance(kept, date(2026, 1, 31)) == 8
    correction = replace(damage, amounts={("debits",): -7, ("d", "16", "debits"): -7})
    kept.store.transact((), lambda _: Decision(None, (correction, repaired(ACME))))
    assert carry.carry(ACME) == "2026-01"
    assert balance(kept, date(2026, 1, 31)) == 1


@pytest.mark.parametrize("fault", [lost, unsent])
@pytest.mark.parametrize("nth", [0, 1, 2, 3])
def test_carrying_forward_survives_every_lost_commit(
    kept: Bookkeeping, monkeypatch: pytest.MonkeyPatch, nth: int, fault: Any
) -> None:
    """Claim, chunks, finish: each may be lost or not answered."""
    monkeypatch.setattr(carrying, "CHUNK", 1)
    journal = year_of_sales(kept)
    close(kept, "2026-01")
    kept.line.commits = [lambda commit: commit()] * nth + [fault]
    assert CarryForward(kept.desk).carry(ACME) == "2026-01"
    assert balance(kept, date(2026, 2, 28)) == fold(journal, date(2026, 2, 28), View.EFFECTIVE)


@pytest.mark.parametrize("after_commits", [0, 1, 2, 3])
def test_carrying_forward_killed_anywhere_is_done_again(
    kept: Bookkeeping, other: Bookkeeping, monkeypatch: pytest.MonkeyPatch, after_commits: int
) -> None:
    """The next one takes over, and what was half written is not believed meanwhile."""
    monkeypatch.setattr(carrying, "CHUNK", 1)
    year_of_sales(kept)
    close(kept, "2026-01")
    kept.line.commits = [lambda commit: commit()] * after_commits + [first(dies)]
    with pytest.raises(Killed):
        CarryForward(kept.desk).carry(ACME)
    assert balance(other, date(2026, 2, 28)) == 3
    assert CarryForward(other.desk).carry(ACME) == "2026-01"
    assert balance(other, date(2026, 2, 28)) == 3


def test_what_a_dead_carrier_writes_late_is_refused(
    kept: Bookkeeping, other: Bookkeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk of old figures that lands after the month was reopened, changed, closed and carried again."""
    monkeypatch.setattr(carrying, "CHUNK", 1)
    year_of_sales(kept)
    close(kept, "2026-01")
    late: list[Commit] = []
    kept.line.commits = [lambda commit: commit(), held(late, dies)]
    with pytest.raises(Killed):
        CarryForward(kept.desk).carry(ACME)
    other.controls.run(a_call("reopen"), Control.REOPEN, "2026-01")
    post(other, "late", 100, date(2026, 1, 20), NOON.date())
    close(other, "2026-01", "-again")
    assert CarryForward(other.desk).carry(ACME) == "2026-01"
    with pytest.raises(RpcFailed):
        late.pop()()
    assert balance(other, date(2026, 1, 31)) == 101


def test_nothing_is_carried_of_a_close_that_is_half_done(kept: Bookkeeping) -> None:
    """While live totals are left a posting may still land on them."""
    year_of_sales(kept)
    kept.line.commits = [lambda commit: commit(), first(dies)]
    with pytest.raises(Killed):
        close(kept, "2026-01")
    kept.line.commits.clear()
    with pytest.raises(Retryable):
        CarryForward(kept.desk).carry(ACME)


def test_two_carriers_at_once_do_it_once(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The second finds the claim its own, and the slower one is told to come again or that it is done."""
    year_of_sales(kept)
    close(kept, "2026-01")
    kept.line.commits = [lambda commit: commit(), first(lambda: CarryForward(other.desk).carry(ACME))]
    with pytest.raises(Retryable):
        CarryForward(kept.desk).carry(ACME)
    assert CarryForward(kept.desk).carry(ACME) == "2026-01"
    assert balance(kept, date(2026, 1, 31)) == 1


def test_closing_entries_are_nobodys_to_post(kept: Bookkeeping) -> None:
    """Only a month that is at its year's end takes them."""
    with pytest.raises(Refused):
        kept.books.post(a_call("a"), a_sale(kind=EntryKind.CLOSING, of=SALES))
