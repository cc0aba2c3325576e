"""A balance at the end of any day is the fold of the entries that count by then, in both views."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.model import Account, AccountType, JournalEntry, Period, PeriodState, Side, month_of
from shared.ledger.rules.balances import View, combined, last_whole_month, standing
from shared.ledger.rules.carry import Chain, read_chain, write_carried, write_chain
from shared.ledger.rules.posting import plan_fast
from shared.ledger.rules.reports import Sums
from shared.ledger.rules.shifts import COLLECTION, amounts_of
from shared.ports import Document, Increment, Ref, Write
from shared.ports import View as Read
from tests.builders import ACME, NOON, a_sale, entry_id

ACCOUNTS = {
    code: Account(code, kind, code, shards=2)
    for code, kind in (("assets:bank", AccountType.ASSET), ("revenue:sales", AccountType.REVENUE))
}
START = date(2026, 9, 27)
DAYS = st.integers(0, 70).map(lambda days: START + timedelta(days=days))


@st.composite
def entries(draw: st.DrawFn) -> list[JournalEntry]:
    """Sales, backdated and postdated by up to ten weeks, some posted on their own day."""
    made = []
    for number in range(draw(st.integers(0, 12))):
        effective, posted = draw(DAYS), draw(st.one_of(st.none(), DAYS))
        sale = a_sale(draw(st.integers(1, 10**15)), to="assets:bank", name=f"sale-{number}", on=effective)
        made.append(sale.posted_at(NOON.replace(year=(day := posted or effective).year, month=day.month, day=day.day)))
    return made


def applied(writes: Iterable[Write]) -> list[Document]:
    """The documents that increments leave behind."""
    documents: dict[Ref, dict[str, Any]] = {}
    for write in writes:
        if not isinstance(write, Increment):
            continue
        account, currency, month = write.ref.key.split("~")[:3]
        fields = documents.setdefault(write.ref, {"account": account, "currency": currency, "month": month})
        for path, amount in write.amounts.items():
            place = fields
            for name in path[:-1]:
                place = place.setdefault(name, {})
            place[path[-1]] = place.get(path[-1], 0) + amount
    return [Document(ref, fields, version="1.0", created_at=NOON) for ref, fields in documents.items()]


def posted(journal: Iterable[JournalEntry]) -> list[Document]:
    """The totals and shifts that posting a journal leaves behind."""
    plans = [plan_fast(ACME, entry, ACCOUNTS, Read({})) for entry in journal]
    return applied(write for plan in plans if plan for write in plan.writes)


def folded(journal: Iterable[JournalEntry], on: date, view: View) -> dict[tuple[str, str], tuple[int, int]]:
    """Debits and credits by account, entry by entry."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for entry in journal:
        if (entry.effective_on if view is View.EFFECTIVE else entry.posting_day) > on:
            continue
        for line in entry.lines:
            debits, credits_ = sums.get((line.account, line.money.currency), (0, 0))
            more = (line.money.amount, 0) if line.side is Side.DEBIT else (0, line.money.amount)
            sums[line.account, line.money.currency] = (debits + more[0], credits_ + more[1])
    return sums


def without_zeros(fold: Any) -> dict[tuple[str, str], tuple[int, int]]:
    """Sums as pairs, idle accounts left out."""
    return {key: (sums.debits, sums.credits) for key, sums in fold.items() if sums.debits or sums.credits}


@given(entries())
def test_a_balance_on_every_day_is_the_fold_of_the_entries(journal: list[JournalEntry]) -> None:
    """By effective and by posting day, whichever of an entry's two days comes first."""
    documents = posted(journal)
    totals = [document for document in documents if document.ref.collection == "totals"]
    shifts = [document for document in documents if document.ref.collection == COLLECTION]
    for days in range(-1, 73):
        on = START + timedelta(days=days)
        effective = standing((), totals, on)
        assert without_zeros(effective) == folded(journal, on, View.EFFECTIVE)
        assert without_zeros(combined(effective, standing((), shifts, on))) == folded(journal, on, View.POSTED)


@given(entries())
def test_what_is_carried_stands_for_all_months_through_it(journal: list[JournalEntry]) -> None:
    """From any carried month on, a later balance comes out the same as from all totals."""
    totals = [document for document in posted(journal) if document.ref.collection == "totals"]
    for stop in ("2026-09", "2026-10", "2026-11"):
        by_account: dict[str, dict[str, Sums]] = {}
        for (account, currency), sums in standing(
            (), [one for one in totals if str(one["month"]) <= stop], None
        ).items():
            by_account.setdefault(account, {})[currency] = sums
        carried = [
            Document(Ref(f"tenants/acme/carried/{account}~{stop}"), write_carried(account, stop, sums), "1.0", NOON)
            for account, sums in by_account.items()
        ]
        since = [document for document in totals if str(document["month"]) > stop]
        on = date(2026, 12, 3)
        assert without_zeros(standing(carried, since, on)) == without_zeros(standing((), totals, on))


@given(entries())
def test_shifts_are_written_only_where_the_days_differ_and_cancel_out(journal: list[JournalEntry]) -> None:
    """An entry of its posting day costs no more than before; over all days nothing is left of the others."""
    for entry in journal:
        plan = plan_fast(ACME, entry, ACCOUNTS, Read({}))
        assert plan is not None
        written = [write for write in plan.writes if write.ref.collection == COLLECTION]
        months = {month_of(entry.effective_on), month_of(entry.posting_day)}
        assert len(written) == (0 if entry.posting_day == entry.effective_on else 2 * len(months))
        assert not any(isinstance(write, Increment) and write.must_exist for write in written)
    net: dict[tuple[str, str, str], int] = {}
    for (account, currency, _), amounts in amounts_of(journal).items():
        for side in ("debits", "credits"):
            net[account, currency, side] = net.get((account, currency, side), 0) + amounts.get((side,), 0)
    assert not any(net.values())


def test_the_content_hash_of_an_entry_of_its_own_day_is_what_it_was() -> None:
    """The posting day is covered where it says something that the effective day does not."""
    sale = a_sale()
    assert sale.posted_at(NOON).content_hash == sale.content_hash
    assert sale.posted_at(NOON + timedelta(days=1)).content_hash != sale.content_hash
    assert sale.posted_at(NOON + timedelta(days=1)).posted_at(NOON).posting_day == date(2026, 11, 17)
    assert sale.id == entry_id("sale-1")


def test_the_last_whole_month_of_a_day() -> None:
    """A month is over on its last day, not before."""
    days = [date(2026, 11, 30), date(2026, 11, 29), date(2026, 1, 5), date(2028, 2, 29), date(2028, 2, 28)]
    assert [last_whole_month(day) for day in days] == ["2026-11", "2026-10", "2025-12", "2028-02", "2028-01"]


# --- the chain ---------------------------------------------------------------------------


def closed(*months: str, version: int = 2) -> list[Period]:
    """Hard-closed months."""
    return [Period(month, PeriodState.HARD_CLOSED, version) for month in months]


def carried_through(*months: str) -> Chain:
    """The chain after these months were closed and carried one after the other."""
    chain = Chain()
    for number in range(len(months)):
        chain = chain.claimed(closed(*months[: number + 1])).finished()
    return chain


MONTHS = ("2026-01", "2026-02", "2026-03")


def test_carried_balances_count_while_their_months_stand_as_they_were() -> None:
    """The latest stop that is not after the day asked for."""
    chain = carried_through(*MONTHS)
    assert [chain.stop(closed(*MONTHS), month) for month in ("2025-12", *MONTHS, "2026-07")] == [
        None,
        *MONTHS,
        "2026-03",
    ]


def test_from_a_reopened_month_on_nothing_carried_counts() -> None:
    """Open, closed again at another version, or a month that the chain never knew: all the same."""
    chain = carried_through(*MONTHS)
    reopened = [*closed("2026-01"), Period("2026-02", PeriodState.OPEN, 3), *closed("2026-03")]
    again = [*closed("2026-01"), *closed("2026-02", version=4), *closed("2026-03")]
    unknown = [*closed(*MONTHS), Period("2026-02", PeriodState.OPEN, 1), Period("1999-05")]
    assert [chain.stop(periods, "2026-12") for periods in (reopened, again, unknown)] == ["2026-01", "2026-01", None]


def test_a_claim_takes_away_what_does_not_count_any_more() -> None:
    """What rests on a month that was closed again is never taken for right again before it is carried again."""
    again = [*closed("2026-01"), *closed("2026-02", version=4), *closed("2026-03")]
    claimed = carried_through(*MONTHS).claimed(again)
    assert (claimed.stops, dict(claimed.months)) == (("2026-01",), {"2026-01": 2})
    assert claimed.stop(closed(*MONTHS), "2026-12") == "2026-01"
    assert claimed.finished().stop(again, "2026-12") == "2026-03"
    assert claimed.finished().stops == ("2026-01", "2026-03")


def test_after_a_repair_nothing_carried_counts_until_it_is_carried_again() -> None:
    """A repair moves the totals of a closed month without raising its version."""
    chain = carried_through(*MONTHS)
    damaged = Chain(chain.months, chain.stops, chain.running, repairs=1)
    assert damaged.stop(closed(*MONTHS), "2026-12") is None
    assert damaged.claimed(closed(*MONTHS)).finished().stop(closed(*MONTHS), "2026-12") == "2026-03"


def test_a_chain_comes_back_as_it_was_written() -> None:
    """And no document means that nothing was carried."""
    chain = carried_through(*MONTHS).claimed(closed(*MONTHS, "2026-04"))
    assert read_chain(Document(Ref("x/y"), write_chain(chain), "1.0", NOON)) == chain
    assert read_chain(None) == Chain()
