"""What posting writes, and the reasons it refuses, decided without a store."""

import pytest

from shared.ledger.model import Account, AccountState, AccountType, EntryKind, Floor, Period, PeriodState
from shared.ledger.records import (
    account_ref,
    entry_ref,
    guard_ref,
    inflow_ref,
    period_ref,
    write_account,
    write_period,
)
from shared.ledger.refusals import AccountFrozen, FloorCurrency, InsufficientFunds, PeriodClosed, UnknownAccount
from shared.ledger.rules.posting import plan_fast, plan_slow, slow_refs
from shared.ports import Absent, Check, Create, Document, Fields, Increment, Ref, Unread, Update, View
from tests.builders import ACME, NOON, a_sale

RECEIVABLE = Account("assets:receivable", AccountType.ASSET, "Receivable")
SALES = Account("revenue:sales", AccountType.REVENUE, "Sales")
CARDS = {account.code: account for account in (RECEIVABLE, SALES)}
WALLET = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 0))


def a_document(ref: Ref, fields: Fields) -> Document:
    """A document as read."""
    return Document(ref, fields, version="7.0", created_at=NOON)


def a_view(*documents: Document, failures: int = 1) -> View:
    """All that the slow path of a sale reads, with only these documents there."""
    refs = dict.fromkeys((*slow_refs(ACME, a_sale()), *slow_refs(ACME, a_sale(to=WALLET.code))))
    return View(refs | {document.ref: document for document in documents}, failures)


def the_chart(*accounts: Account) -> list[Document]:
    """The accounts' documents."""
    return [a_document(account_ref(ACME, account.code), write_account(account)) for account in accounts]


def a_guard(*, limit: int = 0, spent: int = 0, received: int = 0) -> list[Document]:
    """The wallet's guard and inflow."""
    guard = {"limit": limit, "spent": spent, "held": 0, "version": 3}
    return [
        a_document(guard_ref(ACME, WALLET.code), guard),
        a_document(inflow_ref(ACME, WALLET.code), {"credits": received}),
    ]


def test_the_fast_path_of_two_lines_reads_nothing_and_writes_three_documents() -> None:
    """The entry and two totals, each total demanded to exist."""
    plan = plan_fast(ACME, a_sale(), CARDS, View({}))
    assert plan is not None
    entry, *totals = plan.writes
    assert isinstance(entry, Create)
    assert [type(total) for total in totals] == [Increment, Increment]
    assert all(isinstance(total, Increment) and total.must_exist for total in totals)


def test_totals_carry_month_day_and_count() -> None:
    """One increment moves the month's sum, the day's bucket and the count of entries."""
    plan = plan_fast(ACME, a_sale(500), CARDS, View({}))
    assert plan is not None
    debit = plan.writes[1]
    assert isinstance(debit, Increment)
    assert debit.amounts == {("count",): 1, ("debits",): 500, ("d", "16", "debits"): 500}
    assert "assets:receivable~EUR~2026-11~regular~v1~" in debit.ref.path


def test_an_account_never_seen_goes_the_slow_way() -> None:
    """The fast path never guesses an account's version or shards."""
    assert plan_fast(ACME, a_sale(), {}, View({})) is None


def test_the_slow_path_reads_all_it_rests_on_at_once() -> None:
    """Entry, period, accounts, guards and inflows come in one request."""
    with pytest.raises(Unread) as wanted:
        plan_slow(ACME, a_sale(), View({}, failures=1))
    assert wanted.value.refs == set(slow_refs(ACME, a_sale()))


def test_a_missing_period_is_opened_by_the_posting_itself() -> None:
    """Absence is no permission: the commit that posts creates the period, so a close must win or lose against it."""
    plan = plan_slow(ACME, a_sale(), a_view(*the_chart(RECEIVABLE, SALES)))
    assert any(isinstance(write, Create) and write.ref == period_ref(ACME, "2026-11") for write in plan.writes)
    assert plan.refusal is None


def test_a_frozen_account_is_refused_and_the_refusal_is_the_entry() -> None:
    """The refusal is written under the entry's own id and nothing else: its month must still not be there."""
    frozen = Account(SALES.code, AccountType.REVENUE, "Sales", AccountState.FROZEN, version=2)
    plan = plan_slow(ACME, a_sale(), a_view(*the_chart(RECEIVABLE, frozen)))
    assert isinstance(plan.refusal, AccountFrozen)
    record, month = plan.writes
    assert month == Absent(period_ref(ACME, "2026-11"))
    assert isinstance(record, Create)
    assert record.ref == entry_ref(ACME, a_sale().id)
    assert record.fields["outcome"] == "refused"


@pytest.mark.parametrize(
    ("state", "kind", "refused"),
    [
        (PeriodState.OPEN, EntryKind.REGULAR, False),
        (PeriodState.SOFT_CLOSED, EntryKind.REGULAR, True),
        (PeriodState.SOFT_CLOSED, EntryKind.ADJUSTING, False),
        (PeriodState.HARD_CLOSED, EntryKind.ADJUSTING, True),
    ],
)
def test_closed_periods_refuse(state: PeriodState, kind: EntryKind, *, refused: bool) -> None:
    """Soft: regular entries only; hard: everything."""
    period = a_document(period_ref(ACME, "2026-11"), write_period(Period("2026-11", state, 2)))
    plan = plan_slow(ACME, a_sale(kind=kind), a_view(*the_chart(RECEIVABLE, SALES), period))
    assert isinstance(plan.refusal, PeriodClosed) is refused


def test_an_unknown_account_is_named() -> None:
    """The first missing account is in the refusal's detail."""
    plan = plan_slow(ACME, a_sale(), a_view(*the_chart(SALES)))
    assert isinstance(plan.refusal, UnknownAccount)
    assert plan.refusal.detail == {"account": RECEIVABLE.code}


@pytest.mark.parametrize("fast", [False, True])
def test_an_outflow_goes_through_the_guard_unchanged_since_read(*, fast: bool) -> None:
    """What is spent is added under the guard's version; the inflow may be stale."""
    view = a_view(*the_chart(WALLET, SALES), *a_guard(received=12_000))
    entry, cards = a_sale(12_000, to=WALLET.code), {account.code: account for account in (WALLET, SALES)}
    plan = plan_fast(ACME, entry, cards, view) if fast else plan_slow(ACME, entry, view)
    assert plan is not None
    assert plan.refusal is None
    guard = next(write for write in plan.writes if isinstance(write, Update))
    assert guard.fields == {"spent": 12_000, "version": 4}
    assert guard.version == "7.0"
    assert inflow_ref(ACME, WALLET.code) in plan.loose
    assert guard_ref(ACME, WALLET.code) not in plan.loose


def test_an_outflow_beyond_the_floor_is_refused() -> None:
    """One cent short is insufficient funds."""
    view = a_view(*the_chart(WALLET, SALES), *a_guard(received=11_999))
    plan = plan_slow(ACME, a_sale(12_000, to=WALLET.code), view)
    assert isinstance(plan.refusal, InsufficientFunds)
    assert guard_ref(ACME, WALLET.code) not in plan.loose


def test_a_credit_limit_lowers_the_floor() -> None:
    """Limit and inflow together are what can be spent."""
    view = a_view(*the_chart(WALLET, SALES), *a_guard(limit=5_000, received=7_000))
    assert plan_slow(ACME, a_sale(12_000, to=WALLET.code), view).refusal is None


def test_the_fast_path_never_refuses_for_funds() -> None:
    """What remembered accounts say is too little for a no: the slow path decides."""
    cards = {WALLET.code: WALLET, SALES.code: SALES}
    assert plan_fast(ACME, a_sale(to=WALLET.code), cards, a_view(*a_guard(), failures=0)) is None


def test_an_inflow_to_a_floored_account_touches_no_guard() -> None:
    """Credits never wait for debits."""
    plan = plan_slow(ACME, a_sale(of=WALLET.code), a_view(*the_chart(RECEIVABLE, WALLET), *a_guard()))
    assert plan.refusal is None
    assert not any(isinstance(write, Update | Check) for write in plan.writes)
    assert any(isinstance(write, Increment) and write.ref == inflow_ref(ACME, WALLET.code) for write in plan.writes)


def test_a_floored_account_keeps_one_currency() -> None:
    """A floor in pounds cannot bound euros."""
    pounds = Account(WALLET.code, AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("GBP", 0))
    view = a_view(*the_chart(pounds, SALES), *a_guard(received=99_999))
    assert isinstance(plan_slow(ACME, a_sale(to=WALLET.code), view).refusal, FloorCurrency)
