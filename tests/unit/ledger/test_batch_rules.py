"""Many entries in one commit come to what the same entries come to one after the other."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Refused
from shared.ledger.model import Account, AccountType, Floor, JournalEntry, credit, debit
from shared.ledger.records import account_ref, guard_ref, inflow_ref, write_account
from shared.ledger.refusals import BatchTooLarge, RepeatedEntry
from shared.ledger.rules.batches import Gathered, gather_fast, gather_refs, gather_slow
from shared.ledger.rules.posting import plan_slow, slow_refs
from shared.ledger.use_cases.batches import Batch, Mode
from shared.ledger.use_cases.together import Posting
from shared.limits import BATCH_ENTRIES
from shared.money import Money
from shared.ports import Absent, Create, Document, FieldPath, Fields, Increment, Ref, Unread, Update, View
from tests.builders import ACME, NOON, TODAY, a_call, a_sale, entry_id

BANK = Account("assets:bank", AccountType.ASSET, "Bank")
WALLET = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 0))
TILL = Account("assets:till", AccountType.ASSET, "Till", shards=2, floor=Floor("EUR", 5))
CHART = {account.code: account for account in (BANK, WALLET, TILL)}
LEAD = entry_id("lead")

Funds = dict[str, int]
"""What each floored account has received, spent nothing of."""


@st.composite
def chains(draw: st.DrawFn) -> tuple[JournalEntry, ...]:
    """Entries between a bank, a wallet, a till and an account that is not there, on two days of two months."""
    codes = st.sampled_from((BANK.code, WALLET.code, WALLET.code, TILL.code, "assets:nowhere"))
    entries = []
    for number in range(draw(st.integers(1, 12))):
        money = Money(draw(st.integers(1, 30)), draw(st.sampled_from(("EUR", "EUR", "EUR", "GBP"))))
        lines = (debit(draw(codes), money), credit(draw(codes), money))
        day = draw(st.sampled_from((TODAY, TODAY.replace(day=2), TODAY.replace(month=10))))
        name = f"e{number}"
        entries.append(JournalEntry(entry_id(name), lines, day, name, "hash-1", posted_on=TODAY))
    return tuple(entries)


def a_document(ref: Ref, fields: Fields) -> Document:
    """A document as read."""
    return Document(ref, fields, version="7.0", created_at=NOON)


def a_view(entries: Sequence[JournalEntry], received: Funds, spent: Funds) -> View:
    """All that the slow path looks at, with the chart and its guards there."""
    refs = dict.fromkeys(ref for entry in entries for ref in slow_refs(ACME, entry))
    documents = {account_ref(ACME, code): write_account(account) for code, account in CHART.items()}
    for account in (WALLET, TILL):
        assert account.floor
        limit, gone = account.floor.limit, spent.get(account.code, 0)
        documents[guard_ref(ACME, account.code)] = {"limit": limit, "spent": gone, "held": 0, "version": 1}
        documents[inflow_ref(ACME, account.code)] = {"credits": received.get(account.code, 0)}
    there = {ref: a_document(ref, fields) for ref, fields in documents.items()}
    return View({**refs, **{ref: there.get(ref) for ref in refs}}, failures=1)


def one_by_one(entries: Sequence[JournalEntry], received: Funds) -> tuple[list[str], Funds, Funds, dict[str, int]]:
    """What single postings answer in turn, what the floored accounts then received and spent, and all sums moved."""
    codes, spent, received, sums = [], dict[str, int](), dict(received), dict[str, int]()
    for entry in entries:
        plan = plan_slow(ACME, entry, a_view([entry], received, spent))
        codes.append(plan.refusal.code if plan.refusal else "posted")
        for write in plan.writes:
            if isinstance(write, Increment):
                if write.ref.collection == "inflows":
                    received[write.ref.key] = received.get(write.ref.key, 0) + write.amounts[("credits",)]
                add(sums, write)
            if isinstance(write, Update):
                spent[write.ref.key] = int(str(write.fields["spent"]))
    return codes, received, spent, sums


def add(sums: dict[str, int], write: Increment) -> None:
    """Add an increment, its shard left out: a commit has its own."""
    name = write.ref.path if write.ref.collection == "inflows" else write.ref.path.rsplit("~", 1)[0]
    for path, amount in write.amounts.items():
        key = f"{name}/{'.'.join(path)}"
        if sums.get(key, 0) + amount:
            sums[key] = sums.get(key, 0) + amount
        else:
            sums.pop(key, None)


def sums_of(gathered: Gathered) -> dict[str, int]:
    """All sums that the commit moves."""
    sums: dict[str, int] = {}
    for write in gathered.writes:
        if isinstance(write, Increment):
            add(sums, write)
    return sums


@given(entries=chains(), wallet=st.integers(0, 40), till=st.integers(0, 40))
def test_an_independent_commit_comes_to_what_single_postings_in_turn_come_to(
    entries: tuple[JournalEntry, ...], wallet: int, till: int
) -> None:
    """The same refusals in the same places, the same sums, the same guards."""
    received = {WALLET.code: wallet, TILL.code: till}
    gathered = gather_slow(ACME, entries, a_view(entries, received, {}), LEAD, linked=False)
    codes, _, spent, sums = one_by_one(entries, received)
    refusals = [gathered.refusals.get(place) for place in range(len(entries))]
    assert [one.code if one else "posted" for one in refusals] == codes
    assert sums_of(gathered) == sums
    guards = {write.ref.key: write.fields["spent"] for write in gathered.writes if isinstance(write, Update)}
    assert guards == {code: amount for code, amount in spent.items() if amount}
    records = [write for write in gathered.writes if isinstance(write, Create) and write.ref.collection == "entries"]
    assert [write.fields["outcome"] for write in records] == [
        "posted" if one == "posted" else "refused" for one in codes
    ]


@given(entries=chains(), wallet=st.integers(0, 40), till=st.integers(0, 40))
def test_a_linked_commit_stops_where_the_first_single_posting_would_be_refused(
    entries: tuple[JournalEntry, ...], wallet: int, till: int
) -> None:
    """And writes nothing then, only demands that months stay absent; else it is the independent one."""
    received = {WALLET.code: wallet, TILL.code: till}
    view = a_view(entries, received, {})
    linked = gather_slow(ACME, entries, view, LEAD, linked=True)
    codes, *_ = one_by_one(entries, received)
    bad = next((place for place, code in enumerate(codes) if code != "posted"), None)
    if bad is None:
        assert linked == gather_slow(ACME, entries, view, LEAD, linked=False)
    else:
        assert all(isinstance(write, Absent) for write in linked.writes)
        assert [(place, one.code) for place, one in linked.refusals.items()] == ([(bad, codes[bad])])


@given(entries=chains(), wallet=st.integers(0, 40), till=st.integers(0, 40))
def test_the_fast_commit_is_the_slow_one_with_existence_demanded_or_none(
    entries: tuple[JournalEntry, ...], wallet: int, till: int
) -> None:
    """It never posts what the slow path would refuse, and never refuses."""
    view = a_view(entries, {WALLET.code: wallet, TILL.code: till}, {})
    slow = gather_slow(ACME, entries, view, LEAD, linked=False)
    fast = gather_fast(ACME, entries, CHART, view, lead=LEAD)
    assert (fast is None) == bool(slow.refusals)
    if fast:
        assert sums_of(fast) == sums_of(slow)
        totals = [write for write in fast.writes if isinstance(write, Increment) and write.ref in fast.totals]
        assert totals
        assert all(write.must_exist for write in totals)


@given(entries=chains())
def test_no_document_is_written_twice_in_a_commit(entries: tuple[JournalEntry, ...]) -> None:
    """One merged write a totals document, one move a guard."""
    gathered = gather_slow(ACME, entries, a_view(entries, {WALLET.code: 1_000}, {}), LEAD, linked=False)
    refs = [write.ref for write in gathered.writes]
    assert len(set(refs)) == len(refs)


def test_a_commit_of_hundreds_on_two_accounts_moves_two_totals() -> None:
    """All its entries write the shard that the commit's name gives, and the counts say how many they were."""
    entries = [a_sale(1, name=f"s{number}", to=BANK.code) for number in range(300)]
    hot = {
        BANK.code: replace(BANK, shards=64),
        "revenue:sales": Account("revenue:sales", AccountType.REVENUE, "S", shards=64),
    }
    gathered = gather_fast(ACME, entries, hot, View({}), lead=LEAD)
    assert gathered is not None
    totals = [write for write in gathered.writes if isinstance(write, Increment)]
    count: FieldPath = ("count",)
    assert [write.amounts[count] for write in totals] == [300, 300]


def test_the_guard_a_refusal_rests_on_is_checked_and_the_inflow_is_not() -> None:
    """A stale inflow only understates; the guard decided."""
    spend = a_sale(50, to=WALLET.code, of=BANK.code)
    gathered = gather_slow(ACME, [spend], a_view([spend], {}, {}), LEAD, linked=True)
    assert list(gathered.refusals) == [0]
    assert guard_ref(ACME, WALLET.code) not in gathered.loose
    assert {inflow_ref(ACME, WALLET.code), guard_ref(ACME, BANK.code)} <= gathered.loose


def test_accounts_known_without_a_floor_are_not_asked_for_their_guards() -> None:
    """Unless it turns out that they have one by now: then they are asked for, at the same instant."""
    spend = a_sale(1, to=WALLET.code, of=BANK.code)
    plain = {code: replace(account, floor=None) for code, account in CHART.items()}
    refs = gather_refs(ACME, [spend], plain)
    assert not {ref.collection for ref in refs} & {"guards", "inflows"}
    full = a_view([spend], {WALLET.code: 1}, {})
    with pytest.raises(Unread) as wanted:
        gather_slow(ACME, [spend], View({ref: full[ref] for ref in refs}), LEAD, linked=False)
    assert wanted.value.refs == {guard_ref(ACME, WALLET.code), inflow_ref(ACME, WALLET.code)}


def a_batch(entries: Sequence[JournalEntry]) -> Batch:
    """An independent batch."""
    return Batch(LEAD, Mode.INDEPENDENT, tuple(Posting(a_call(), entry) for entry in entries))


def test_a_batch_has_its_limits() -> None:
    """Entries, and lines of all entries together."""
    with pytest.raises(BatchTooLarge) as many:
        a_batch([a_sale(name=f"s{number}") for number in range(BATCH_ENTRIES + 1)])
    assert many.value.detail == {"entries": 501, "lines": 1_002}
    wide = tuple(line for _ in range(100) for line in a_sale().lines)
    with pytest.raises(BatchTooLarge):
        a_batch([replace(a_sale(name=f"s{number}"), lines=wide) for number in range(6)])


def test_a_batch_names_each_entry_once() -> None:
    """The second of two with one key is at fault, and nothing is looked at."""
    with pytest.raises(RepeatedEntry) as repeated:
        a_batch([a_sale(name="a"), a_sale(name="b"), a_sale(name="a")])
    assert repeated.value.field == "entries.2.key"
    assert isinstance(repeated.value, Refused)
