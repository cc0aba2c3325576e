"""Posting on the real emulator: once, whatever happens to the answer."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared import counters
from shared.calls import Call
from shared.faults import Refused
from shared.gcp.rpc import RpcFailed
from shared.ledger.model import Account, AccountType, Floor, JournalEntry, credit, debit
from shared.ledger.records import create_account
from shared.ledger.refusals import (
    AccountFrozen,
    EntryIdReused,
    InsufficientFunds,
    PeriodClosed,
    UnknownAccount,
)
from shared.ledger.rules.control import Control
from shared.money import Money
from shared.ports import Decision, Increment, Query, View
from tests.builders import ACME, TODAY, a_call, a_sale, entry_id, euros
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.lines import Commit, Switch, first, held, lost, lost_then, unsent

WALLET = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 0))


def a_withdrawal(amount: int, name: str = "withdrawal") -> JournalEntry:
    """Money taken out of the wallet."""
    return a_sale(amount, name=name, to=WALLET.code, of="assets:bank")


def a_deposit(amount: int, name: str = "deposit") -> JournalEntry:
    """Money put into the wallet."""
    return a_sale(amount, name=name, to="assets:bank", of=WALLET.code)


def with_wallet(kept: Bookkeeping, deposit: int) -> None:
    """Open the wallet and put something in."""
    kept.store.transact((), lambda _: Decision(None, create_account(ACME, WALLET)))
    if deposit:
        kept.books.post(a_call("deposit"), a_deposit(deposit))


def test_a_warm_posting_costs_no_read_one_rpc_and_three_writes_with_its_audit_record(kept: Bookkeeping) -> None:
    """The bar of the hot path, counted: entry, two totals, audit."""
    warm = [a_sale(name=f"warm-{number}") for number in range(200)]
    for number, entry in enumerate(warm):
        kept.books.post(a_call(f"warm-{number}"), entry)
    spent = counters.begin()
    kept.books.post(a_call("hot"), a_sale(name="warm-again"))
    assert (spent.reads, spent.rpcs, spent.writes, spent.deletes) == (0, 1, 4, 0)


def test_told_twice_it_is_posted_once(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The same request answers the same entry, on this instance and on another."""
    first = kept.books.post(a_call("k"), a_sale())
    again, elsewhere = kept.books.post(a_call("k"), a_sale()), other.books.post(a_call("k"), a_sale())
    assert (first.replayed, again.replayed, elsewhere.replayed) == (False, True, True)
    assert again.answer.entry == elsewhere.answer.entry == first.answer.entry
    assert kept.reports.trial_balance(ACME, "2026-11").rows[0].debits == 12_000


def test_another_request_under_the_same_id_is_refused_and_writes_nothing(kept: Bookkeeping) -> None:
    """The request hash decides, whatever the lines."""
    kept.books.post(a_call("k"), a_sale())
    with pytest.raises(EntryIdReused):
        kept.books.post(a_call("k2"), a_sale(request_hash="hash-2"))
    assert kept.proven()


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_commit_without_an_answer_posts_once(kept: Bookkeeping, fault: Switch) -> None:
    """Whether it landed or not, the posting is there once."""
    kept.books.post(a_call("warm"), a_sale(name="warm"))
    kept.line.commits.append(fault)
    kept.books.post(a_call("k"), a_sale())
    assert kept.proven()
    assert {row.debits + row.credits for row in kept.reports.trial_balance(ACME, "2026-11").rows} == {24_000}


def test_eight_at_once_post_one(kept: Bookkeeping) -> None:
    """The same request eight times at the same time moves money once."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: kept.books.post(a_call("k"), a_sale()), range(8)))
    assert [answer.replayed for answer in answers].count(False) == 1
    assert kept.reports.trial_balance(ACME, "2026-11").rows[0].debits == 12_000


def test_posted_debit_answered_insufficient_funds(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A debit lands, its answer is lost, the rest of the money goes: the answer is still posted."""
    with_wallet(kept, 100)
    kept.line.commits.append(lost_then(lambda: other.books.post(a_call("rest"), a_withdrawal(40, "rest"))))
    done = kept.books.post(a_call("k"), a_withdrawal(60))
    assert done.answer.posted
    assert kept.proven()


@pytest.mark.parametrize("remembered", [False, True])
def test_a_refusal_rests_on_the_month_too(kept: Bookkeeping, other: Bookkeeping, *, remembered: bool) -> None:
    """A month that nobody posted to is closed between a refusal's decision and its commit: the month is the reason."""
    with_wallet(kept, 100)
    one, another = (kept, other) if remembered else (other, kept)
    one.line.commits = [first(lambda: another.controls.run(a_call("c"), Control.SOFT_CLOSE, "2026-12"))]
    with pytest.raises(PeriodClosed):
        one.books.post(a_call("k"), replace(a_withdrawal(200), effective_on=TODAY.replace(month=12)))
    assert kept.proven()


def test_a_floor_holds_under_eight_writers(kept: Bookkeeping) -> None:
    """Of 8 withdrawals of 30 from 100 exactly three are posted, the rest refused."""
    with_wallet(kept, 100)

    def withdraw(number: int) -> bool:
        try:
            return kept.books.post(a_call(f"w{number}"), a_withdrawal(30, f"w{number}")).answer.posted
        except InsufficientFunds:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(withdraw, range(8))).count(True) == 3
    assert kept.proven()


def test_late_commit_after_a_recorded_refusal(kept: Bookkeeping, other: Bookkeeping) -> None:
    """A posting held up on its way finds its id taken by the refusal: one outcome, for ever."""
    with_wallet(kept, 100)
    kept.books.post(a_call("warm"), a_withdrawal(1, "warm"))
    late: list[Commit] = []

    def spend_the_rest() -> None:
        other.books.post(a_call("rest"), a_withdrawal(90, "rest"))

    kept.line.commits.append(held(late, then=spend_the_rest))
    with pytest.raises(InsufficientFunds):
        kept.books.post(a_call("k"), a_withdrawal(50))
    with pytest.raises(RpcFailed):
        late[0]()
    assert not kept.books.entry(ACME, a_withdrawal(50).id).posted
    assert kept.proven()


def test_a_refusal_is_recorded_and_answers_again_after_the_reason_is_gone(
    kept: Bookkeeping, other: Bookkeeping
) -> None:
    """Redelivery after the state changed: refused stays refused under the same id."""
    with_wallet(kept, 10)
    with pytest.raises(InsufficientFunds):
        kept.books.post(a_call("k"), a_withdrawal(50))
    kept.books.post(a_call("more"), a_deposit(500, "more"))
    for books in (kept.books, other.books):
        with pytest.raises(Refused) as again:
            books.post(a_call("k"), a_withdrawal(50))
        assert again.value.code == "insufficient_funds"
    assert not kept.books.entry(ACME, a_withdrawal(50).id).posted
    assert kept.proven()


def test_a_posting_stays_posted_after_its_account_is_frozen(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Redelivery after the state changed: posted stays posted."""
    kept.books.post(a_call("k"), a_sale())
    kept.controls.run(a_call("freeze"), Control.FREEZE, "revenue:sales")
    assert other.books.post(a_call("k"), a_sale()).answer.posted


def test_an_unknown_account_is_a_recorded_refusal(kept: Bookkeeping) -> None:
    """The refusal excludes the posting even when the account comes later."""
    entry = a_sale(of="revenue:nowhere")
    with pytest.raises(UnknownAccount):
        kept.books.post(a_call("k"), entry)
    nowhere = Account("revenue:nowhere", AccountType.REVENUE, "Nowhere")
    kept.store.transact((), lambda _: Decision(None, create_account(ACME, nowhere)))
    with pytest.raises(Refused):
        kept.books.post(a_call("k"), entry)


def test_a_month_opens_with_its_first_posting_and_shards_with_theirs(kept: Bookkeeping) -> None:
    """Many postings over many shards and two months add up by month."""
    for number in range(40):
        day = TODAY.replace(month=10 + number % 2)
        kept.books.post(a_call(f"k{number}"), a_sale(100, name=f"k{number}", on=day))
    october, november = (kept.reports.income_statement(ACME, month, month) for month in ("2026-10", "2026-11"))
    assert october.net_income == november.net_income == {"EUR": 2_000}
    assert kept.proven()


def test_two_currencies_in_one_entry_balance_apart(kept: Bookkeeping) -> None:
    """An entry may hold several currencies as long as each balances."""
    lines = (
        debit("assets:bank", euros(100)),
        credit("revenue:sales", euros(100)),
        debit("assets:bank", Money(90, "GBP")),
        credit("revenue:sales", Money(90, "GBP")),
    )
    kept.books.post(a_call("k"), JournalEntry(entry_id("two"), lines, TODAY, "two", "hash-1"))
    assert kept.reports.balance_sheet(ACME, "2026-11").difference == {"EUR": 0, "GBP": 0}


def test_the_proof_names_a_total_that_was_tampered_with(kept: Bookkeeping) -> None:
    """One cent more in one totals document, and the proof does not hold."""
    kept.books.post(a_call("k"), a_sale())
    assert kept.proven("before")
    total = kept.store.query(Query("totals", ACME)).documents[0].ref

    def tamper(_: View) -> Decision[None]:
        return Decision(None, (Increment(total, {("debits",): 1}, must_exist=True),))

    kept.store.transact((), tamper)
    assert not kept.proven("after")


def test_a_snapshot_that_misses_a_late_commit_fails_no_proof(kept: Bookkeeping) -> None:
    """Totals seen as of before the last posting, entries as of after it: the second look at the instant agrees."""
    kept.books.post(a_call("a"), a_sale(name="a"))
    early = kept.store.read_time()
    kept.books.post(a_call("b"), a_sale(name="b"))
    kept.line.queries.append(early)
    assert kept.proven()


def closing(kept: Bookkeeping, control: Control, target: str, key: str) -> Call:
    """Run a control operation and say under which call."""
    call = a_call(key)
    kept.controls.run(call, control, target)
    return call


@pytest.mark.parametrize(
    ("control", "target", "refusal"),
    [
        (Control.SOFT_CLOSE, "2026-11", PeriodClosed),
        (Control.HARD_CLOSE, "2026-11", PeriodClosed),
        (Control.FREEZE, "revenue:sales", AccountFrozen),
    ],
)
def test_after_the_answer_nothing_lands(
    kept: Bookkeeping, other: Bookkeeping, control: Control, target: str, refusal: type[Refused]
) -> None:
    """Warm instances that remember the account are refused like cold ones."""
    kept.books.post(a_call("a"), a_sale(name="a"))
    other.books.post(a_call("b"), a_sale(name="b"))
    closing(kept, control, target, "control")
    for number in range(20):
        with pytest.raises(refusal):
            other.books.post(a_call(f"c{number}"), a_sale(name=f"c{number}"))
    assert kept.proven()
