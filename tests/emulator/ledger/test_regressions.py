"""Bugs that other ledgers had, by name. Where a test elsewhere holds one already, the table says which.

| bug | held by |
|---|---|
| client retry that applies funds twice | test_posting: test_told_twice_it_is_posted_once, test_eight_at_once_post_one |
| posted debit answered "insufficient funds" | test_posting: test_posted_debit_answered_insufficient_funds |
| late commit after a recorded refusal | test_posting: test_late_commit_after_a_recorded_refusal |
| redelivery after a state change | test_posting: test_a_posting_stays_posted_after_its_account_is_frozen |
| idempotency key, another body | test_posting: test_another_request_under_the_same_id_is_refused_and_writes_nothing |
| holds not counted | test_holds: test_holds_not_counted |
| two partial posts of one pending amount | test_holds_races: test_two_partial_posts_of_one_pending_amount_at_once |
| hold released after its month closed | test_holds: test_hold_released_after_its_month_closed |
| reversal when the destination is below zero | test_reversals: test_reversal_when_the_destination_is_below_zero |
| snapshot that loses a late commit | test_seals: test_a_held_commit_that_lands_during_the_sealing_is_lost_by_none |
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event

import pytest
from pydantic import ValidationError

from shared.faults import Invalid, Refused, Retryable
from shared.ledger.model import Account, AccountType, Floor, JournalEntry, credit, debit
from shared.ledger.records import create_account
from shared.ledger.refusals import InsufficientFunds, PeriodClosed
from shared.ledger.rules.control import Control
from shared.ledger.wire.entries import BalanceRow, EntryAnswer, NewEntry
from shared.limits import AMOUNT_MINOR
from shared.money import Money
from shared.ports import Decision, Put, Query, Where
from shared.settings import Settings
from tests.builders import ACME, SALES, TODAY, a_call, a_sale, entry_id, euros
from tests.emulator.ledger.conftest import Bookkeeping, bookkeeping
from tests.emulator.lines import lost

BANK, RECEIVABLE = "assets:bank", "assets:receivable"
WALLET = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 0))
PURSE = Account("liabilities:purse", AccountType.LIABILITY, "Purse", shards=1)


@pytest.fixture
def instances(settings: Settings, kept: Bookkeeping) -> Iterator[list[Bookkeeping]]:
    """Eight further instances with nothing remembered."""
    del kept
    made = [bookkeeping(settings) for _ in range(8)]
    yield made
    for instance in made:
        instance.line.close()


def opened(kept: Bookkeeping, account: Account, deposit: int = 0) -> None:
    """Open an account and put something in."""
    kept.store.transact((), lambda _: Decision(None, create_account(ACME, account)))
    if deposit:
        kept.books.post(a_call("deposit"), a_sale(deposit, name="deposit", to=BANK, of=account.code))


def spends(name: str, amount: int) -> JournalEntry:
    """Money taken out of the wallet."""
    return a_sale(amount, name=name, to=WALLET.code, of=BANK)


def balance(kept: Bookkeeping, account: str) -> int:
    """What stands on an account, minor units on its normal side."""
    return sum(row.amount for row in kept.reports.trial_balance(ACME, "2026-12").rows if row.account == account)


# --- again, later ------------------------------------------------------------------------


def order(**fields: object) -> NewEntry:
    """A body of ten euros from sales to the bank, as a client sends it, without a date."""
    return NewEntry.model_validate_json(json.dumps(a_body() | fields))


def a_body(amount: object = 1_000) -> dict[str, object]:
    """The body as JSON values."""
    return {
        "lines": [
            {"account": BANK, "side": "debit", "amount": {"amount": amount, "currency": "EUR"}},
            {"account": SALES, "side": "credit", "amount": {"amount": amount, "currency": "EUR"}},
        ]
    }


def test_redelivery_across_midnight(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Asked a second before the month's end and again a second after, answer lost: one entry, on the first day."""
    before = a_call("k", at=datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC))
    after = replace(before, at=datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC))
    kept.line.commits = [lost]
    first = kept.books.post(before, order().entry(before)).answer
    again = other.books.post(after, order().entry(after)).answer
    assert again.entry == first.entry
    assert again.entry.effective_on.isoformat() == "2026-11-30"
    other.controls.run(a_call("close"), Control.HARD_CLOSE, "2026-11")
    assert other.books.post(after, order().entry(after)).answer.posted
    assert (balance(kept, BANK), kept.proven()) == (1_000, True)


def test_a_refusal_stays_when_it_is_told_again_after_midnight(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Refused for a closed month, and told again when the default day falls into an open one: refused all the same."""
    kept.controls.run(a_call("close"), Control.HARD_CLOSE, "2026-11")
    before = a_call("k", at=datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC))
    after = replace(before, at=datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC))
    with pytest.raises(PeriodClosed):
        kept.books.post(before, order().entry(before))
    with pytest.raises(Refused) as again:
        other.books.post(after, order().entry(after))
    assert again.value.code == "period_closed"
    assert balance(kept, BANK) == 0


# --- many at once ------------------------------------------------------------------------


def test_credit_storm_starving_debits(kept: Bookkeeping, instances: list[Bookkeeping]) -> None:
    """While three instances pay in without a pause, every withdrawal of a fourth is posted, none to be retried."""
    opened(kept, WALLET, 1_000)
    over = Event()

    def storm(one: int) -> int:
        number = 0
        while not over.is_set() and number < 500:
            name = f"in-{one}-{number}"
            instances[one].books.post(a_call(name), a_sale(1, name=name, to=BANK, of=WALLET.code))
            number += 1
        return number

    with ThreadPoolExecutor(3) as pool:
        storms = [pool.submit(storm, one) for one in range(3)]
        try:
            for number in range(40):
                assert kept.books.post(a_call(f"out-{number}"), spends(f"out-{number}", 25)).answer.posted
        finally:
            over.set()
        paid_in = sum(done.result() for done in storms)
    assert paid_in > 0
    assert (balance(kept, WALLET.code), kept.proven()) == (paid_in, True)


def test_contention_reported_as_insufficient_funds(kept: Bookkeeping, instances: list[Bookkeeping]) -> None:
    """Eight instances spend from one account that has enough for all: nobody is told that it has not."""
    opened(kept, WALLET, 8 * 6 * 10)

    def spend(one: int) -> list[str]:
        outcomes = []
        for number in range(6):
            name = f"out-{one}-{number}"
            for _ in range(50):
                try:
                    instances[one].books.post(a_call(name), spends(name, 10))
                except Retryable:
                    continue
                except InsufficientFunds:
                    outcomes.append("insufficient")
                else:
                    outcomes.append("posted")
                break
        return outcomes

    with ThreadPoolExecutor(8) as pool:
        outcomes = [outcome for done in pool.map(spend, range(8)) for outcome in done]
    assert outcomes == ["posted"] * 48
    assert (balance(kept, WALLET.code), kept.proven()) == (0, True)


def test_torn_trial_balance(kept: Bookkeeping, instances: list[Bookkeeping]) -> None:
    """A trial balance beside a stream of postings balances every time, and never goes back."""
    over = Event()

    def stream(one: int) -> None:
        number = 0
        while not over.is_set() and number < 500:
            name = f"s{one}-{number}"
            instances[one].books.post(a_call(name), a_sale(1, name=name))
            number += 1

    seen: list[int] = []
    with ThreadPoolExecutor(3) as pool:
        streams = [pool.submit(stream, one) for one in range(3)]
        try:
            for _ in range(30):
                trial = kept.reports.trial_balance(ACME, "2026-11")
                assert not any(trial.out_of_balance.values())
                seen.append(sum(row.debits for row in trial.rows))
        finally:
            over.set()
        for done in streams:
            done.result()
    assert seen == sorted(seen)
    assert seen[-1] > seen[0], "nothing was posted meanwhile"


# --- figures -----------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["0.3", "0.1e1", "1e2", "100.0", '"100"', "true", "null", "-1", "0", "-0", "NaN"])
def test_float_precision_on_the_wire(amount: str) -> None:
    """An amount is a whole number of minor units: whatever may have been a float, and what is none, is refused."""
    text = json.dumps(a_body("AMOUNT")).replace('"AMOUNT"', amount)
    call = a_call()
    with pytest.raises((ValidationError, Invalid)):
        NewEntry.model_validate_json(text).entry(call)


@pytest.mark.parametrize("amount", [AMOUNT_MINOR + 1, 2**53 + 1, 2**63 - 1, 2**63, 10**30])
def test_an_amount_beyond_the_limit_is_refused(amount: int) -> None:
    """10^15 minor units is the most: everything beyond is refused on the wire and by the value itself."""
    with pytest.raises(ValidationError):
        order(lines=a_body(amount)["lines"])
    with pytest.raises(Invalid):
        Money(amount, "EUR")


def test_float_precision_in_sums(kept: Bookkeeping) -> None:
    """Sums far beyond 2^53, where a float skips units, are exact in totals, reports and on the wire."""
    opened(kept, PURSE)
    for number in range(30):
        amount = AMOUNT_MINOR - number % 2
        kept.books.post(a_call(f"k{number}"), a_sale(amount, name=f"k{number}", to=BANK, of=PURSE.code))
    exact = 30 * AMOUNT_MINOR - 15
    assert exact > 2**53
    assert int(float(exact)) != exact, "a float would do"
    row = next(row for row in kept.reports.trial_balance(ACME, "2026-11").rows if row.account == PURSE.code)
    assert json.loads(BalanceRow.of(row).model_dump_json())["balance"] == exact
    answer = json.loads(EntryAnswer.of(kept.books.entry(ACME, entry_id("k1"))).model_dump_json())
    assert answer["lines"][0]["amount"]["amount"] == AMOUNT_MINOR - 1
    assert kept.proven()


def test_a_tenth_and_two_tenths(kept: Bookkeeping) -> None:
    """0.10 + 0.20 is 0.30, ten thousand times over in one month's sums."""
    lines = (*(debit(BANK, euros(10)),) * 50, *(debit(BANK, euros(20)),) * 50, *(credit(SALES, euros(15)),) * 100)
    for number in range(5):
        entry = JournalEntry(entry_id(f"k{number}"), lines, TODAY, f"k{number}", "hash-1")
        kept.books.post(a_call(f"k{number}"), entry)
    assert (balance(kept, BANK), kept.proven()) == (5 * 50 * 30, True)


def test_a_sum_beyond_int64_is_an_alert_and_never_a_silent_loss(kept: Bookkeeping) -> None:
    """A month's sum that the store cannot hold exactly is not the fold of its entries, and the proof names it."""
    opened(kept, PURSE)
    kept.books.post(a_call("a"), a_sale(7, name="a", to=BANK, of=PURSE.code))
    (total,) = kept.store.query(Query("totals", ACME, (Where("account", "==", PURSE.code),))).documents
    near = Put(total.ref, {**total.fields, "credits": 2**63 - 5})
    kept.store.transact((), lambda _: Decision(None, (near,)))
    kept.books.post(a_call("b"), a_sale(7, name="b", to=BANK, of=PURSE.code))
    proof = kept.proofs.prove(a_call("proof")).answer
    assert not proof.holds
    assert proof.named == (f"{PURSE.code}/EUR/2026-11/regular",)


# --- text --------------------------------------------------------------------------------


def test_unicode_that_changes_a_hash(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The same cause composed and decomposed is one content; look-alikes are not; what is stored hashes the same."""
    composed, decomposed = "caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"
    assert composed != decomposed
    entry = replace(a_sale(), cause=decomposed)
    assert entry.content_hash == replace(entry, cause=composed).content_hash
    assert entry.content_hash != replace(entry, cause="cafe").content_hash
    assert (
        entry.content_hash != replace(entry, cause="c\N{CYRILLIC SMALL LETTER A}f\N{LATIN SMALL LETTER E}").content_hash
    )
    kept.books.post(a_call("k"), entry)
    recorded = other.books.entry(ACME, entry.id).entry
    assert recorded.content_hash == entry.content_hash
    assert kept.proven()


@pytest.mark.parametrize(
    "code", ["assets:b\N{CYRILLIC SMALL LETTER A}nk", "assets:BANK", "assets:bank\n", "assets:bank ", "assets/bank", ""]
)
def test_account_codes_have_no_look_alikes(code: str) -> None:
    """An account is named by a-z 0-9 : _ . - alone: nothing that reads like another, or ends where nobody sees it."""
    lines = [{**line, "account": code} for line in a_body()["lines"]]  # type: ignore[attr-defined]
    with pytest.raises(ValidationError):
        order(lines=lines)
    with pytest.raises(Invalid):
        debit(code, euros(1))
