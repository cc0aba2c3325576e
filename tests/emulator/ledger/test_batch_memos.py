"""Memos of batches on the real emulator: sealed before anything is posted, a key an entry, KMS asked once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from shared import counters
from shared.calls import Done
from shared.faults import Refused, Retryable
from shared.identity import TenantId
from shared.ledger.model import JournalEntry
from shared.ledger.records import entry_ref, read_entry
from shared.ledger.use_cases.batches import Batches, BatchResult, Mode
from shared.ledger.use_cases.memos import Memos
from shared.ports import Decision, Delete, Query
from shared.privacy import Disclosures, PersonalDataUnreadable, Purpose, Vault
from shared.privacy.records import subject_keyset_ref
from shared.settings import Settings
from tests.builders import ACME, a_call, a_sale
from tests.emulator.doors.conftest import every_document
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.ledger.batching import BOTH, a_batch, outcomes, sales
from tests.emulator.lines import Switch, lost, unsent
from tests.emulator.month.exposure import forms
from tests.local_keys import LocalKeys

CANARY = "Paid back to Ada Canary-Lovelace, Zoë's café"


@dataclass
class Desk:
    """One instance's batches with memos."""

    house: Instance

    def __post_init__(self) -> None:
        """Its own vault, cold."""
        vault = self.house.vault
        self.memos = Memos(
            self.house.desk, self.house.books, lambda: vault, lambda: Disclosures(self.house.desk, vault)
        )

    def post(self, mode: Mode, entries: Sequence[JournalEntry], *, without: int = 0) -> Done[BatchResult]:
        """Post a batch whose entries have a memo each, but for the first `without`."""
        call, batch = a_batch(mode, entries)
        memos = {entry.id: f"{CANARY} {place}" for place, entry in enumerate(entries) if place >= without}
        batches = Batches(self.house.desk, self.house.books)
        return batches.post(call, self.memos.sealed_batch(ACME, batch, memos))

    def shown(self, entry: JournalEntry) -> str:
        """An entry's memo, disclosed."""
        call = a_call(f"show-{entry.id}", once=True)
        return self.memos.disclose(call, entry.id, Purpose.AUDIT).answer.values["memo"]


@pytest.fixture
def desk(house: Instance) -> Desk:
    """The batches of a tenant whose books are open."""
    return Desk(house)


@BOTH
def test_each_memo_is_shown_for_its_own_entry(desk: Desk, another: More, mode: Mode) -> None:
    """Sealed under a key of each entry, opened by another instance; one without a memo stays without."""
    entries = sales(4)
    assert set(outcomes(desk.post(mode, entries, without=1))) == {"posted"}
    later = Desk(another())
    assert [later.shown(entry) for entry in entries[1:]] == [f"{CANARY} {place}" for place in (1, 2, 3)]
    refs = [entry_ref(ACME, entry.id) for entry in entries]
    stored = [document for document in desk.house.store.get(refs).values() if document]
    assert ["memo" in document.fields for document in stored] == [False, True, True, True]
    assert all(read_entry(one).entry.content_hash == one["content_hash"] for one in stored)
    assert desk.house.proven()


@BOTH
def test_450_memos_ask_kms_once_and_commit_their_keys_at_once(
    desk: Desk, another: More, keys: LocalKeys, mode: Mode
) -> None:
    """One KMS operation on a cold instance; beside the batch's own one read and one commit, not one an entry."""
    entries = sales(450)
    bare = a_batch(mode, sales(450, start=450), "bare")
    plain = Desk(another())
    alone = counters.begin()
    Batches(plain.house.desk, plain.house.books).post(*bare)
    without = alone.rpcs
    keys.operations, cost = 0, counters.begin()
    cold = Desk(another())
    assert set(outcomes(cold.post(mode, entries))) == {"posted"}
    assert keys.operations == 1
    assert cost.rpcs - without == 2
    assert desk.house.keysets.aggregate(Query("keysets", ACME))["count"] == 451  # and the tenant's own


@BOTH
def test_a_memo_of_a_batch_is_nowhere_in_clear(desk: Desk, settings: Settings, mode: Mode) -> None:
    """Posted, told twice, refused by an unknown account: in no document of both databases, in no form."""
    entries = [*sales(3), replace(a_sale(name="last"), reference="CLEAR-CANARY")]
    for _ in range(2):
        desk.post(mode, entries)
    bad = a_sale(name="bad", of="revenue:nowhere")
    call, batch = a_batch(mode, [bad], "bad")
    sealed = desk.memos.sealed_batch(ACME, batch, {bad.id: CANARY})
    try:
        Batches(desk.house.desk, desk.house.books).post(call, sealed)
    except Refused:
        assert mode is Mode.LINKED
    raw = b"".join(
        document.SerializeToString()
        for database in (settings.database, settings.keysets_database)
        for document in every_document(settings, database).values()
    )
    assert "utf-8" in [name for name, form in forms("CLEAR-CANARY").items() if form in raw]
    for text in (CANARY, "Ada Canary-Lovelace"):
        assert [name for name, form in forms(text).items() if form in raw] == []


@BOTH
def test_told_twice_the_first_ciphertexts_stay(desk: Desk, another: More, mode: Mode) -> None:
    """A retry on another instance seals afresh under the same keys; what is in the journal stays as it was."""
    entries = sales(3)
    refs = [entry_ref(ACME, entry.id) for entry in entries]
    desk.post(mode, entries)
    first = desk.house.store.get(refs)
    again = Desk(another()).post(mode, entries)
    assert again.replayed
    assert desk.house.store.get(refs) == first
    assert desk.shown(entries[2]) == f"{CANARY} 2"


@BOTH
@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_commit_without_an_answer_keeps_what_opens(desk: Desk, mode: Mode, fault: Switch) -> None:
    """Whichever attempt landed, every memo opens."""
    entries = sales(3)
    desk.house.line.commits.append(fault)
    assert set(outcomes(desk.post(mode, entries))) == {"posted"}
    assert [desk.shown(entry) for entry in entries] == [f"{CANARY} {place}" for place in range(3)]


@BOTH
@pytest.mark.parametrize("moments", range(8))
def test_killed_at_any_moment_a_redelivery_finishes_it(desk: Desk, another: More, mode: Mode, moments: int) -> None:
    """Before the keys, between them and the batch, after it: the same batch again posts each once, and all open."""
    entries = sales(2)
    dying = Desk(another(Fate(moments)))
    try:
        dying.post(mode, entries)
    except Killed:
        assert set(outcomes(Desk(another()).post(mode, entries))) == {"posted"}
    assert [desk.shown(entry) for entry in entries] == [f"{CANARY} {place}" for place in range(2)]
    assert desk.house.proven()


def test_keys_that_are_there_in_part_are_kept_and_completed(desk: Desk, another: More) -> None:
    """Of a batch that brings some entries again, new keys are made for the new ones only."""
    first, more = sales(2), sales(4)
    desk.post(Mode.INDEPENDENT, first)
    refs = [subject_keyset_ref(ACME, entry.id) for entry in more]
    before = desk.house.keysets.get(refs[:2])
    later = Desk(another())
    call, batch = a_batch(Mode.INDEPENDENT, more, "more")
    sealed = later.memos.sealed_batch(ACME, batch, {entry.id: CANARY for entry in more})
    Batches(later.house.desk, later.house.books).post(call, sealed)
    assert desk.house.keysets.get(refs[:2]) == before
    assert all(desk.house.keysets.get(refs).values())
    assert [desk.shown(entry) for entry in more] == [f"{CANARY} 0", f"{CANARY} 1", CANARY, CANARY]


def test_one_memos_key_is_shredded_alone(desk: Desk, another: More) -> None:
    """The others open, and the whole journal verifies."""
    entries = sales(2)
    desk.post(Mode.LINKED, entries)
    gone = subject_keyset_ref(ACME, entries[0].id)
    desk.house.keysets.transact((), lambda _: Decision(None, (Delete(gone),)))
    later = Desk(another())
    with pytest.raises(PersonalDataUnreadable):
        later.shown(entries[0])
    assert later.shown(entries[1]) == f"{CANARY} 1"
    assert later.house.proven()


@BOTH
def test_without_keys_nothing_is_posted(desk: Desk, another: More, keys: LocalKeys, mode: Mode) -> None:
    """A silent KMS is tried again later; no entry of the batch stands without its memo."""
    keys.silent = True
    with pytest.raises(Retryable):
        Desk(another()).post(mode, sales(2), without=1)
    keys.silent = False
    assert desk.house.store.aggregate(Query("entries", ACME))["count"] == 0


@BOTH
def test_a_batch_without_memos_asks_no_vault(house: Instance, mode: Mode) -> None:
    """What is not used costs nothing: the room is not even entered."""

    def closed() -> Vault:
        message = "the vault was entered"
        raise AssertionError(message)

    _, batch = a_batch(mode, sales(2))
    memos = Memos(house.desk, house.books, closed, lambda: Disclosures(house.desk, closed()))
    assert memos.sealed_batch(TenantId("acme"), batch, {}) == batch
