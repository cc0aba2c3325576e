"""Proofs by sample, whole and on demand; and repairs, exact beside postings, twice and killed half way."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest

from shared.faults import Refused, Retryable
from shared.ledger.line_text import read_lines, write_lines
from shared.ledger.model import Account, AccountType, EntryKind, Floor, JournalEntry, credit, debit
from shared.ledger.records import create_account, entry_ref, guard_ref, inflow_ref
from shared.ledger.refusals import JournalAltered, UnknownAccount, UnknownProof, WrongState
from shared.ledger.rules.control import Control
from shared.ledger.rules.proof_records import Change, Proof
from shared.ledger.use_cases import proofs as sampling
from shared.ledger.use_cases.proofs import SAMPLES
from shared.ledger.use_cases.repairs import Repairs
from shared.money import Money
from shared.ports import Decision, Delete, Document, FieldPath, Increment, Put, Query, Ref, View, Where, Write
from shared.settings import Settings
from tests.builders import ACME, NOON, SALES, TODAY, a_call, a_sale, entry_id, euros
from tests.emulator.ledger.conftest import Bookkeeping, bookkeeping
from tests.emulator.lines import first, held, lost, unsent

RECEIVABLE, MONTH = "assets:receivable", "2026-11"
WALLET = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("EUR", 0))


def write(kept: Bookkeeping, *writes: Write) -> None:
    """Write past the ledger: damage, on purpose."""

    def damage(_: View) -> Decision[None]:
        return Decision(None, writes)

    kept.store.transact((), damage)


def totals_of(kept: Bookkeeping, account: str) -> list[Document]:
    """An account's totals documents."""
    return list(kept.store.query(Query("totals", ACME, (Where("account", "==", account),))).documents)


def damage(kept: Bookkeeping, account: str, sums: Mapping[FieldPath, int]) -> None:
    """Move an account's totals without an entry."""
    write(kept, Increment(totals_of(kept, account)[0].ref, sums, must_exist=True))


def post(kept: Bookkeeping, *names: str, amount: int = 100) -> None:
    """Post a sale of a euro under each name."""
    for name in names:
        kept.books.post(a_call(name), a_sale(amount, name=name))


def whole(kept: Bookkeeping, key: str) -> Proof:
    """A proof of everything."""
    return kept.proofs.prove(a_call(key)).answer


def samples(kept: Bookkeeping, rounds: int, key: str = "sample") -> list[Proof]:
    """So many samples, one after the other."""
    return [kept.proofs.sample(a_call(f"{key}-{number}")).answer for number in range(rounds)]


def repaired(kept: Bookkeeping, key: str, account: str, month: str | None = MONTH) -> tuple[Change, ...]:
    """What a repair changed."""
    return Repairs(kept.desk).repair(a_call(key, once=True), account, month).answer.changes


def balance(kept: Bookkeeping, account: str) -> int:
    """What the trial balance says, minor units on the normal side."""
    return sum(row.amount for row in kept.reports.trial_balance(ACME, MONTH).rows if row.account == account)


DAMAGE: dict[str, Mapping[FieldPath, int]] = {
    "a cent more": {("debits",): 1},
    "an entry too many": {("count",): 1},
    "a day's bucket": {("d", "16", "debits"): 5},
    "both sides alike": {("debits",): 7, ("credits",): 7},
}


@pytest.mark.parametrize("sums", DAMAGE.values(), ids=DAMAGE)
def test_damaged_totals_are_found_named_repaired_and_proven(kept: Bookkeeping, sums: Mapping[FieldPath, int]) -> None:
    """Whatever sum was moved, the whole proof and a sample name the place, and a repair puts back exactly that."""
    post(kept, "a", "b")
    damage(kept, RECEIVABLE, sums)
    found, sampled = whole(kept, "before"), samples(kept, 2)
    place = f"{RECEIVABLE}/EUR/{MONTH}/regular"
    assert (found.holds, found.named) == (False, (place,))
    assert place in {name for proof in sampled for name in proof.named}
    changes = repaired(kept, "repair", RECEIVABLE)
    assert {one.field: one.after - one.before for one in changes} == {".".join(path): -sums[path] for path in sums}
    assert {one.place for one in changes} == {place}
    assert whole(kept, "after").holds
    assert all(proof.holds for proof in samples(kept, 4, "again"))
    assert balance(kept, RECEIVABLE) == 200


def test_totals_that_are_gone_are_found_and_made_again(kept: Bookkeeping) -> None:
    """Entries lead a sample to the totals that nobody has; the repair permits no posting of its own."""
    post(kept, "a", "b", "c")
    write(kept, *(Delete(document.ref) for document in totals_of(kept, RECEIVABLE)))
    assert not any(proof.holds for proof in samples(kept, 1))
    repaired(kept, "repair", RECEIVABLE)
    assert all(document["closed"] for document in totals_of(kept, RECEIVABLE))
    post(kept, "d")
    assert (balance(kept, RECEIVABLE), whole(kept, "after").holds) == (400, True)


def test_totals_that_no_entry_made_are_found_by_sample(kept: Bookkeeping) -> None:
    """Totals lead a sample to sums that stand on nothing."""
    post(kept, "a")
    stray = totals_of(kept, RECEIVABLE)[0]
    fields = {**stray.fields, "month": "2026-03"}
    write(kept, Put(Ref(stray.ref.path.replace(MONTH, "2026-03")), fields))
    named = {name for proof in samples(kept, 3) for name in proof.named}
    assert f"{RECEIVABLE}/EUR/2026-03/regular" in named
    repaired(kept, "repair", RECEIVABLE, "2026-03")
    assert whole(kept, "after").holds


def test_samples_go_round_all_accounts_and_months(kept: Bookkeeping) -> None:
    """However the damage lies, as many samples as there are documents come upon it."""
    for number in range(6):
        day = TODAY.replace(month=6 + number)
        kept.books.post(a_call(f"m{number}"), a_sale(1, name=f"m{number}", on=day))
    (victim,) = [document for document in totals_of(kept, SALES) if document["month"] == "2026-09"]
    write(kept, Increment(victim.ref, {("credits",): 1}, must_exist=True))
    found = [not proof.holds for proof in samples(kept, 6)]
    assert any(found)
    assert not all(found), "a sample of a sound account holds"


def test_a_sample_reads_a_day_of_a_long_month_and_leaves_out_a_long_day(
    kept: Bookkeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads stay bounded whatever an account's month holds, and what is left out is said."""
    for number in range(4):
        day = TODAY.replace(day=number + 1)
        kept.books.post(a_call(f"d{number}"), a_sale(1, name=f"d{number}", on=day))
    monkeypatch.setattr(sampling, "SAMPLE_ENTRIES", 1)
    (by_day,) = samples(kept, 1, "day")
    assert by_day.holds
    assert 1 <= by_day.entries <= 8
    assert by_day.left_out == 0
    damage(kept, RECEIVABLE, {("d", f"{day:02d}", "debits"): 1 for day in range(1, 5)})
    assert not all(proof.holds for proof in samples(kept, 3, "damaged"))
    monkeypatch.setattr(sampling, "SAMPLE_ENTRIES", 0)
    (nothing,) = samples(kept, 1, "none")
    assert (nothing.entries, nothing.left_out > 0) == (0, True)


def test_a_sample_told_twice_is_one_and_turns_once(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Redelivery answers the first record; the rotation goes on from it."""
    post(kept, "a", "b", "c")
    one, again = samples(kept, 1)[0], samples(other, 1)[0]
    assert again == one
    assert len(kept.store.query(Query(SAMPLES, ACME)).documents) == 1


def a_wallet(kept: Bookkeeping, deposit: int = 100) -> None:
    """A floored account with money in it."""
    write(kept, *create_account(ACME, WALLET))
    kept.books.post(a_call("deposit"), a_sale(deposit, name="deposit", to="assets:bank", of=WALLET.code))


@pytest.mark.parametrize("amount", [30, -30])
def test_a_guard_that_drifted_is_found_and_set_right(kept: Bookkeeping, amount: int) -> None:
    """A guard that allows more, or less, than the books is an alert; its repair is unchanged-since and on record."""
    a_wallet(kept)
    write(kept, Increment(guard_ref(ACME, WALLET.code), {("spent",): amount}, must_exist=True))
    assert not whole(kept, "before").holds
    assert f"guards/{WALLET.code}" in {name for proof in samples(kept, 3) for name in proof.named}
    (change,) = repaired(kept, "repair", WALLET.code, None)
    assert change == Change(f"guards/{WALLET.code}", "spent", amount, 0)
    assert whole(kept, "after").holds
    kept.books.post(a_call("all"), a_sale(100, name="all", to=WALLET.code, of="assets:bank"))
    with pytest.raises(Refused):
        kept.books.post(a_call("more"), a_sale(1, name="more", to=WALLET.code, of="assets:bank"))


def test_an_inflow_that_drifted_is_balanced_by_the_guard(kept: Bookkeeping) -> None:
    """What a floor allows is received less spent: a lost inflow is made good where postings look."""
    a_wallet(kept)
    write(kept, Increment(inflow_ref(ACME, WALLET.code), {("credits",): 40}, must_exist=True))
    assert whole(kept, "before").floors == 1
    repaired(kept, "repair", WALLET.code, None)
    assert whole(kept, "after").holds


def test_a_guard_that_was_made_anew_meanwhile_is_not_moved_by_an_older_difference(
    kept: Bookkeeping, other: Bookkeeping
) -> None:
    """The floor went and came back between the repair's look and its commit; without a floor there is no repair."""
    a_wallet(kept)
    write(kept, Increment(guard_ref(ACME, WALLET.code), {("spent",): -30}, must_exist=True))

    def anew() -> None:
        for key, floor in (("off", None), ("on", Floor("EUR", 0))):
            other.controls.set_floor(a_call(key), WALLET.code, floor)

    kept.line.commits = [first(anew)]
    with pytest.raises(Retryable):
        repaired(kept, "repair", WALLET.code, None)
    assert whole(kept, "anew").holds
    assert repaired(kept, "again", WALLET.code, None) == ()
    other.controls.set_floor(a_call("gone"), WALLET.code, None)
    with pytest.raises(WrongState):
        repaired(kept, "none", WALLET.code, None)


def test_totals_never_follow_an_altered_entry(kept: Bookkeeping) -> None:
    """An entry that contradicts its content hash is named, and a repair of its month refused."""
    post(kept, "a")
    place = entry_ref(ACME, entry_id("a"))
    document = kept.store.get([place])[place]
    assert document is not None
    lines = write_lines(replace(line, money=Money(999, "EUR")) for line in read_lines(document["lines"]))  # type: ignore[arg-type]
    write(kept, Put(place, {**document.fields, "lines": lines}))
    proof = whole(kept, "before")
    assert (proof.altered, proof.holds) == (1, False)
    assert f"entries/{place.key}" in proof.named
    assert not samples(kept, 1)[0].holds
    with pytest.raises(JournalAltered):
        repaired(kept, "repair", RECEIVABLE)
    assert balance(kept, RECEIVABLE) == 100


def test_a_repair_is_exact_beside_four_posting_threads(settings: Settings, kept: Bookkeeping) -> None:
    """Two repairs and four instances that post meanwhile: the damage is undone once, nothing else is moved."""
    post(kept, "a")
    damage(kept, RECEIVABLE, {("debits",): 1_000, ("count",): 3})
    instances, stop = [bookkeeping(settings) for _ in range(4)], Event()

    def stream(one: int) -> int:
        number = 0
        while not stop.is_set() and number < 400:
            name = f"s{one}-{number}"
            instances[one].books.post(a_call(name), a_sale(100, name=name))
            number += 1
        return number

    def until_done(key: str) -> tuple[Change, ...]:
        for _ in range(20):
            try:
                return repaired(kept, key, RECEIVABLE)
            except Retryable:
                continue
        raise AssertionError(key)

    with ThreadPoolExecutor(6) as pool:
        streams = [pool.submit(stream, one) for one in range(4)]
        try:
            answers = list(pool.map(until_done, ("repair-1", "repair-2")))
        finally:
            stop.set()
        posted = sum(done.result() for done in streams)
    for instance in instances:
        instance.line.close()
    moved = [sum(one.after - one.before for one in changes if one.field == "debits") for changes in answers]
    assert sorted(moved) == [-1_000, 0]
    assert posted > 0, "nothing was posted meanwhile"
    assert balance(kept, RECEIVABLE) == 100 * (posted + 1)
    assert whole(kept, "after").holds


class Killed(BaseException):
    """The instance dies here."""


def dies() -> None:
    """Die as a killed process does."""
    raise Killed


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_repair_without_an_answer_corrects_once(kept: Bookkeeping, fault: object) -> None:
    """Whether its commit landed or not, the difference is added once."""
    post(kept, "a")
    damage(kept, RECEIVABLE, {("debits",): 5})
    kept.line.commits.append(fault)  # type: ignore[arg-type]
    assert [one.after for one in repaired(kept, "repair", RECEIVABLE)] == [100]
    assert whole(kept, "after").holds


def test_a_repair_killed_before_its_commit_is_asked_again(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Nothing of a killed repair is there; the same order once more does it, and once more after that is a replay."""
    post(kept, "a")
    damage(kept, RECEIVABLE, {("debits",): 5})
    kept.line.commits = [first(dies)]
    with pytest.raises(Killed):
        repaired(kept, "repair", RECEIVABLE)
    assert not whole(other, "still").holds
    done = [Repairs(other.desk).repair(a_call("repair", once=True), RECEIVABLE, MONTH) for _ in range(2)]
    assert [one.replayed for one in done] == [False, True]
    assert done[0].answer == done[1].answer
    assert whole(other, "after").holds


def test_a_repair_held_up_on_its_way_lands_once_or_never(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Another repair came between: the late commit finds its turn taken, and the difference is not added twice."""
    post(kept, "a")
    damage(kept, RECEIVABLE, {("debits",): 5})
    late: list[object] = []
    kept.line.commits = [held(late, then=lambda: repaired(other, "other", RECEIVABLE))]  # type: ignore[arg-type]
    with pytest.raises(Retryable):
        repaired(kept, "repair", RECEIVABLE)
    with pytest.raises(Exception, match=r".*"):
        late[0]()  # type: ignore[operator]
    assert repaired(kept, "repair", RECEIVABLE) == ()
    assert whole(other, "after").holds


def test_a_repair_of_sound_books_changes_nothing_and_is_on_record(kept: Bookkeeping) -> None:
    """Nothing wrong, nothing written to totals; the order, its reason and who gave it are kept."""
    post(kept, "a")
    before = [(document.ref, document.version) for document in totals_of(kept, RECEIVABLE)]
    Repairs(kept.desk).repair(a_call("repair", once=True, reason="looked odd"), RECEIVABLE, MONTH)
    assert [(document.ref, document.version) for document in totals_of(kept, RECEIVABLE)] == before
    (audit,) = kept.store.query(Query("audit", ACME, (Where("action", "==", "ledger.repair"),))).documents
    assert (audit["reason"], audit["principal"]) == ("looked odd", "user:ann")
    assert [one.changes for one in Repairs(kept.desk).page(ACME, 10, None).items] == [()]


def test_a_repair_of_a_closed_month_opens_nothing(kept: Bookkeeping) -> None:
    """The correction permits no posting, and a later freeze retires nothing of it."""
    post(kept, "a")
    kept.controls.run(a_call("hard"), Control.HARD_CLOSE, MONTH)
    damage(kept, RECEIVABLE, {("debits",): 5})
    repaired(kept, "repair", RECEIVABLE)
    with pytest.raises(Refused):
        post(kept, "late")
    kept.controls.run(a_call("freeze"), Control.FREEZE, RECEIVABLE)
    assert (balance(kept, RECEIVABLE), whole(kept, "after").holds) == (100, True)


def test_several_currencies_and_kinds_are_repaired_together(kept: Bookkeeping) -> None:
    """Each currency and kind of an account's month gets its own correction, in one commit."""
    lines = (
        debit(RECEIVABLE, euros(100)),
        credit(SALES, euros(100)),
        debit(RECEIVABLE, Money(90, "GBP")),
        credit(SALES, Money(90, "GBP")),
    )
    kept.books.post(a_call("two"), JournalEntry(entry_id("two"), lines, TODAY, "two", "hash-1"))
    kept.books.post(a_call("adj"), a_sale(3, name="adj", kind=EntryKind.ADJUSTING))
    for document in totals_of(kept, RECEIVABLE):
        write(kept, Increment(document.ref, {("debits",): 9}, must_exist=True))
    assert len({one.place for one in repaired(kept, "repair", RECEIVABLE)}) == 3
    assert whole(kept, "after").holds


def test_what_is_not_there_is_not_repaired(kept: Bookkeeping) -> None:
    """An account the chart lacks, and a floor that an account lacks."""
    with pytest.raises(UnknownAccount):
        repaired(kept, "nowhere", "assets:nowhere")
    with pytest.raises(WrongState):
        repaired(kept, "no floor", RECEIVABLE, None)


def test_a_proof_on_demand_is_asked_for_made_and_found(kept: Bookkeeping, other: Bookkeeping) -> None:
    """The order leaves a task; told twice the task makes one proof, under the id that was answered."""
    post(kept, "a")
    asked = kept.proofs.ask(a_call("ask", once=True, reason="year end")).answer
    assert (asked.proven_at, asked.holds) == (None, False)
    assert kept.proofs.page(ACME, 10, None).items == ()
    (command,) = kept.sent.commands
    assert (command.door, command.body) == ("prove_ledger", {"proof": asked.id})
    task = replace(a_call(command.id), cause=replace(a_call().cause, namespace="system", key=command.id))
    made = [books.proofs.carry_out(task, proof=asked.id).answer for books in (kept, other)]
    assert made[0] == made[1]
    assert (made[0].id, made[0].holds, made[0].entries) == (asked.id, True, 1)
    assert kept.proofs.proof(ACME, asked.id) == made[0]
    assert [proof.id for proof in kept.proofs.page(ACME, 10, None).items] == [asked.id]
    with pytest.raises(UnknownProof):
        kept.proofs.proof(ACME, entry_id("nothing"))


def test_samples_are_asked_for_once_a_minute(kept: Bookkeeping) -> None:
    """A schedule that fires twice names the same tasks."""
    for _ in range(2):
        kept.proofs.start_samples([ACME], NOON, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    assert len({command.id for command in kept.sent.commands}) == 1
    assert {str(command.body) for command in kept.sent.commands} == {"{'sample': '2026-11-16T12:00'}"}
