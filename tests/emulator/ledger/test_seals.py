"""Sealing: every entry falls under exactly one seal, whatever comes late, twice, at once or never."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest

from shared.faults import Retryable
from shared.ledger.refusals import JournalAltered, NotSealedYet, UnknownEntry, UnknownSeal
from shared.ledger.rules.low_s import is_low_s
from shared.ledger.rules.merkle import root_by_proof
from shared.ledger.rules.seals import Leaf, Seal, write_leaves
from shared.ledger.use_cases import seals as use_case
from shared.ports import Query, Ref
from shared.settings import Settings
from tests.builders import ACME, a_call, a_sale, entry_id
from tests.emulator.instances import Killed
from tests.emulator.ledger.conftest import Bookkeeping, bookkeeping
from tests.emulator.ledger.sealing import Office, a_double, a_stray
from tests.emulator.lines import Commit, first, held, lost

pytestmark = pytest.mark.emulator


@pytest.fixture
def office(kept: Bookkeeping, settings: Settings) -> Office:
    """Books with two sales and no seal."""
    office = Office(kept, settings)
    office.sell("a", "b")
    return office


def ids(*names: str) -> set[str]:
    """The ids of named entries."""
    return {entry_id(name) for name in names}


def test_a_seal_covers_everything_since_the_one_before(office: Office) -> None:
    """Each entry stands under one seal, in the order of its commit; the seals are chained."""
    one = office.seal().last
    office.sell("c", "d", "e")
    two = office.seal().last
    assert one
    assert two
    assert (one.number, one.count, one.cumulative, one.previous) == (1, 2, 2, "")
    assert (two.number, two.count, two.cumulative, two.previous) == (2, 3, 5, one.hash)
    assert two.after == one.through
    assert office.sealed() == [entry_id(name) for name in "abcde"]


def test_a_seal_is_signed_in_the_one_spelling_that_cannot_be_rewritten(office: Office) -> None:
    """A signer gives the high s every other time; sixteen seals of the low one are no chance."""
    for number in range(16):
        office.sell(f"s{number}")
        office.seal()
    seals = office.seals.page(ACME, 100, None).items
    assert len(seals) == 16
    assert all(is_low_s(seal.signature) for seal in seals)


def test_refusals_are_sealed_too(office: Office) -> None:
    """A recorded refusal is part of the journal."""
    sale = a_sale(name="no", to="assets:none")
    with pytest.raises(Exception, match="no such account"):
        office.kept.books.post(a_call("no"), sale)
    office.seal()
    assert set(office.sealed()) == ids("a", "b", "no")


def test_nothing_new_makes_no_seal(office: Office) -> None:
    """Sealing is idempotent."""
    assert office.seal().made == 1
    assert office.seal().made == 0
    assert [seal.number for seal in office.seals.page(ACME, 10, None).items] == [1]


def test_books_without_entries_have_no_seal(kept: Bookkeeping, settings: Settings) -> None:
    """There is nothing to sign."""
    assert Office(kept, settings).seal().last is None


def test_a_commit_that_lands_after_the_snapshot_falls_into_the_next_seal(office: Office) -> None:
    """Recorded before the first seal's instant, committed after it: not lost between the two."""
    instant = office.entries()[0].created_at - timedelta(minutes=5)
    office.seal()
    stray = a_stray(office, "late", instant)
    office.seal()
    assert office.sealed()[-1] == stray.key
    assert len(office.sealed()) == 3


def test_a_held_commit_that_lands_during_the_sealing_is_lost_by_none(office: Office, settings: Settings) -> None:
    """A posting's answer is silence, the seal is made meanwhile, then the posting lands."""
    late: list[Commit] = []
    poster = bookkeeping(settings)
    poster.line.commits.append(held(late, office.seal))

    poster.books.post(a_call("c"), a_sale(name="c"))  # asks again, and lands by itself
    with pytest.raises(Exception, match="ALREADY_EXISTS"):
        late[0]()
    office.seal()
    assert set(office.sealed()) == ids("a", "b", "c")
    assert len(office.sealed()) == 3
    poster.line.close()


def test_a_document_with_an_instant_that_no_posting_has_is_left_to_the_verifier(office: Office) -> None:
    """`recorded_at` an hour before the commit: no seal vouches for it, and it is named as added (test_verifying)."""
    office.seal()
    stray = a_stray(office, "hidden", office.entries()[0].created_at - timedelta(hours=1))
    office.sell("c")
    last = office.seal().last
    assert last
    assert set(office.sealed()) == ids("a", "b", "c")
    assert stray.key not in office.sealed()
    assert last.counted == last.cumulative == 3


def test_a_snapshot_that_shows_a_commit_late_is_read_again(office: Office) -> None:
    """The first reading of the instant misses the newest entry: the count says so, the second has it."""
    office.seal()
    before = office.kept.store.read_time()
    office.sell("c")
    # The first query finds the last seal, the second the entries.
    office.kept.line.queries += [office.kept.store.read_time(), before]
    office.seal()
    assert set(office.sealed()) == ids("a", "b", "c")


def test_a_sealed_entry_that_is_gone_stops_no_sealing(office: Office) -> None:
    """What was sealed before is the verifier's: later seals are not in doubt for it, and nothing is read again."""
    office.seal()
    office.remove(office.entries()[0].ref)
    office.sell("c")
    last = office.seal().last
    assert last
    assert (last.count, last.cumulative, last.counted) == (1, 3, 3)


def test_an_entry_that_every_reading_misses_is_on_the_seal(office: Office) -> None:
    """The store counts one more than it shows, at every look: sealing goes on, and the seal says so, signed."""
    office.seal()
    office.sell("c")
    early = office.kept.store.read_time()
    office.sell("d")
    # The first query finds the last seal; the entries are then read once, and again for each look.
    office.kept.line.queries += [office.kept.store.read_time(), *[early] * (1 + use_case.LOOKS)]
    last = office.seal().last
    assert last
    assert (last.count, last.cumulative, last.counted) == (1, 3, 4)


def test_a_restored_journal_is_sealed_in_parts_that_a_commit_can_hold(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All entries committed long after they were recorded, before any seal: one seal of all outgrew every commit."""
    names = [f"n{number:02d}" for number in range(20)]
    for name in names:
        a_stray(office, name, office.entries()[0].created_at - timedelta(days=3))
    for name, value in {"SEAL_ENTRIES": 4, "READ_PAGE": 3, "LEAVES_A_PAGE": 2}.items():
        monkeypatch.setattr(use_case, name, value)
    office.seal()
    assert sorted(office.sealed()) == sorted([*ids("a", "b"), *names])
    seals = office.seals.page(ACME, 100, None).items
    assert max(seal.count for seal in seals) <= 5
    assert {seal.counted - seal.cumulative for seal in seals} == {0}


def test_a_long_stretch_becomes_several_seals(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """No seal outgrows a commit; together they miss nothing and repeat nothing."""
    for name, value in {"SEAL_ENTRIES": 7, "READ_PAGE": 3, "LEAVES_A_PAGE": 2}.items():
        monkeypatch.setattr(use_case, name, value)
    names = [f"n{number:02d}" for number in range(30)]
    office.sell(*names)
    done = office.seal()
    assert done.made >= 3
    assert office.sealed() == [entry_id(name) for name in ["a", "b", *names]]
    assert office.seals.page(ACME, 100, None).items[0].count < 20


def test_an_entry_committed_at_the_very_instant_a_seal_ends_is_under_that_seal_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T(n) belongs to seal n: neither left out between two windows of one task nor in both."""
    (edge,) = [document for document in office.entries() if document.ref.key == entry_id("b")]
    stray = a_stray(office, "later", edge.created_at + timedelta(microseconds=1))
    for name, value in {"SEAL_ENTRIES": 1, "READ_PAGE": 3}.items():
        monkeypatch.setattr(use_case, name, value)
    office.seal()
    assert office.seals.one(ACME, 2).through == edge.created_at
    assert office.sealed() == [entry_id("a"), entry_id("b"), stray.key]


def test_an_entry_recorded_and_committed_at_one_instant_is_not_left_on_the_next_page(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page ends at an instant that the next page begins with: more may have come then, so a seal ends before it."""
    (b,) = [document for document in office.entries() if document.ref.key == entry_id("b")]
    office.alter(b.ref, "recorded_at", b.created_at)
    stray = a_stray(office, "0", b.created_at)  # of the same instant, and before it by name
    for name, value in {"SEAL_ENTRIES": 1, "READ_PAGE": 2}.items():
        monkeypatch.setattr(use_case, name, value)
    office.seal()
    assert office.sealed() == [entry_id("a"), entry_id("b"), stray.key]


def test_a_task_that_has_sealed_enough_is_asked_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every task ends in time; the next goes on from where it stood."""
    for name, value in {"SEAL_ENTRIES": 2, "READ_PAGE": 1, "SEALS_A_TASK": 2}.items():
        monkeypatch.setattr(use_case, name, value)
    names = [f"n{number:02d}" for number in range(9)]
    office.sell(*names)
    for _ in range(8):
        try:
            office.seal()
        except Retryable:
            continue
        break
    assert office.sealed() == [entry_id(name) for name in ["a", "b", *names]]


# --- faults ------------------------------------------------------------------------------


def test_a_lost_answer_makes_one_seal(office: Office) -> None:
    """The seal is there when it is asked for again."""
    office.kept.line.commits.append(lost)
    assert office.seal().made == 1
    assert len(office.sealed()) == 2


def test_killed_between_signing_and_writing_nothing_is_left_and_the_next_run_seals(office: Office) -> None:
    """Leaves and seal are one commit."""

    def die() -> None:
        raise Killed

    office.signer.then = die
    with pytest.raises(Killed):
        office.seal()
    assert office.seals.last(ACME) is None
    assert office.seal().made == 1
    assert set(office.sealed()) == ids("a", "b")


def test_a_rival_between_signing_and_writing_wins_and_nothing_is_sealed_twice(
    office: Office, other: Bookkeeping, settings: Settings
) -> None:
    """Two sealers with different snapshots: one seal of that number, and the loser goes on from it."""
    rival = Office(other, settings, office.signer)

    def rivals_turn() -> None:
        rival.sell("c")
        rival.seal()

    office.kept.line.commits.append(first(rivals_turn))
    office.sell("d")
    office.kept.line.commits.clear()
    office.signer.then = rivals_turn
    office.seal()
    office.seal()
    assert sorted(office.sealed()) == sorted(ids("a", "b", "c", "d"))
    numbers = [seal.number for seal in office.seals.page(ACME, 10, None).items]
    assert numbers == sorted(set(numbers), reverse=True)


def test_sealers_at_once_make_a_chain_that_misses_nothing(office: Office, settings: Settings) -> None:
    """Four sealers, two writers: each entry is under one seal, each number is there once."""
    rigs = [bookkeeping(settings) for _ in range(6)]

    def write(rig: Bookkeeping) -> None:
        for number in range(20):
            name = f"{id(rig)}-{number}"
            rig.books.post(a_call(name), a_sale(name=name))

    def seal(rig: Bookkeeping) -> None:
        mine = Office(rig, settings, office.signer)
        for number in range(4):
            mine.seal(f"{id(rig)}-{number}")

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(write, rig) for rig in rigs[:2]] + [pool.submit(seal, rig) for rig in rigs[2:]]
        for future in futures:
            future.result()
    office.seal()
    sealed = office.sealed()
    assert len(sealed) == len(set(sealed)) == 42
    chain: list[Seal] = list(reversed(office.seals.page(ACME, 100, None).items))
    assert [seal.number for seal in chain] == list(range(1, len(chain) + 1))
    assert all(later.previous == earlier.hash for earlier, later in pairwise(chain))
    for rig in rigs:
        rig.line.close()


def test_todays_task_is_the_same_however_often_it_is_asked_for(office: Office) -> None:
    """One task a tenant and hour."""
    call = a_call("tick")
    for _ in range(2):
        office.seals.start([ACME], call.at, call.traceparent)
    assert len({command.id for command in office.kept.sent.commands}) == 1


# --- reading -----------------------------------------------------------------------------


def test_an_entrys_inclusion_is_proven_by_hashes_alone(office: Office) -> None:
    """The way from the leaf leads to the signed root, and to no other."""
    office.sell(*"cdefg")
    seal = office.seal().last
    assert seal
    for name in "abcdefg":
        proof = office.seals.inclusion(ACME, entry_id(name))
        assert root_by_proof(proof.leaf.hash, proof.index, seal.count, proof.path) == bytes.fromhex(seal.root)
    assert root_by_proof(b"x" * 32, proof.index, seal.count, proof.path) != bytes.fromhex(seal.root)


def another_amount(office: Office, ref: Ref) -> None:
    """An entry of more."""
    office.alter(ref, "lines", ["debit 999999 EUR assets:bank", "credit 999999 EUR revenue:sales"])


def a_foreign_line(office: Office, ref: Ref) -> None:
    """A value of a kind that the books never write: it is hashed like any other."""
    a_double(office.settings, ref, "lines", "0")


def another_leaf_beside_it(office: Office, ref: Ref) -> None:
    """The entry's own leaf stands, the way to the root does not lead there any more."""
    leaves = office.seals.leaves(ACME, 1, 0)
    garbled = [leaf if leaf.id == ref.key else Leaf(leaf.created, leaf.id, b"x" * 32) for leaf in leaves]
    office.alter(use_case.leaves_ref(ACME, 1, 0), "leaves", write_leaves(garbled))


@pytest.mark.parametrize("change", [another_amount, a_foreign_line, another_leaf_beside_it])
def test_no_proof_of_inclusion_vouches_for_an_altered_entry(
    office: Office, change: Callable[[Office, Ref], None]
) -> None:
    """The leaf was compared with nothing: whoever altered an entry was given a proof that leads to the signed root."""
    office.seal()
    (document,) = [document for document in office.entries() if document.ref.key == entry_id("a")]
    assert office.seals.inclusion(ACME, entry_id("a")).seal.number == 1
    change(office, document.ref)
    with pytest.raises(JournalAltered) as refused:
        office.seals.inclusion(ACME, entry_id("a"))
    assert refused.value.detail == {"seal": 1}


def test_what_is_not_there_is_said_so(office: Office) -> None:
    """No entry, no seal, not sealed yet: three answers."""
    with pytest.raises(NotSealedYet):
        office.seals.inclusion(ACME, entry_id("a"))
    with pytest.raises(UnknownEntry):
        office.seals.inclusion(ACME, entry_id("nobody"))
    with pytest.raises(UnknownSeal):
        office.seals.one(ACME, 7)
    with pytest.raises(UnknownSeal):
        office.seals.leaves(ACME, 1, 0)


def test_every_commit_leaves_an_audit_record(office: Office) -> None:
    """Who sealed, and when."""
    office.seal()
    actions = [document["action"] for document in office.kept.store.query(Query("audit", ACME)).documents]
    assert actions.count("ledger.seal") == 1
