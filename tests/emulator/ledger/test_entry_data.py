"""Metadata, memos and exchange rates of entries on the real emulator."""

import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from shared.faults import Refused
from shared.gcp.rpc import RpcFailed
from shared.ledger.entry_data import MEMO, EntryData
from shared.ledger.exchange import ExchangeRate
from shared.ledger.model import JournalEntry, credit, debit
from shared.ledger.records import entry_ref, read_entry
from shared.ledger.refusals import EntryIdReused, NoMemo, UnknownEntry
from shared.ledger.rules.reversals import ReversalOrder
from shared.ledger.use_cases.memos import Memos
from shared.ledger.use_cases.reversals import Reversals
from shared.money import Money
from shared.ports import Decision, Delete, Document
from shared.privacy import Disclosures, PersonalDataUnreadable, Place, Purpose, Sealed, Vault
from shared.privacy.records import subject_keyset_ref
from shared.settings import Settings
from tests.builders import ACME, TODAY, a_call, a_sale, entry_id
from tests.emulator.doors.conftest import every_document
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.ledger.reversing import WALLET
from tests.emulator.lines import Commit, Switch, lost, unsent
from tests.emulator.month.exposure import forms
from tests.local_keys import LocalKeys

CANARY = "Paid back to Ada Canary-Lovelace, Zoë's café"
SALE = a_sale()


@dataclass
class Desk:
    """One instance's memos."""

    house: Instance
    memos: Memos

    def post(self, memo: str | None = CANARY, key: str = "k", entry: JournalEntry = SALE) -> JournalEntry:
        """Post an entry with a memo; what is answered."""
        return self.memos.post(a_call(key), entry, memo).answer.entry

    def shown(self, key: str = "show", entry: JournalEntry = SALE) -> str:
        """The memo, disclosed."""
        return self.memos.disclose(a_call(key, once=True), entry.id, Purpose.AUDIT).answer.values[MEMO]

    def stored(self, entry: JournalEntry = SALE) -> Document:
        """The entry's document."""
        document = self.house.store.get([entry_ref(ACME, entry.id)])[entry_ref(ACME, entry.id)]
        assert document
        return document


def a_desk(house: Instance) -> Desk:
    """The memos of an instance."""
    vault, disclosures = house.vault, Disclosures(house.desk, house.vault)
    return Desk(house, Memos(house.desk, house.books, lambda: vault, lambda: disclosures))


@pytest.fixture
def desk(house: Instance) -> Desk:
    """The memos of a tenant whose books are open."""
    return a_desk(house)


# --- memos -------------------------------------------------------------------------------


def test_a_memo_is_kept_sealed_and_shown_on_record(desk: Desk) -> None:
    """The answer has ciphertext; a disclosure has the text, and its record says who and why and nothing of it."""
    answered = desk.post()
    assert answered.data.memo == desk.stored()["memo"] != b""
    assert desk.shown() == desk.shown() == CANARY
    (record,) = desk.house.store.get([a_call("show").ref("disclosures", a_call("show").cause.stored_id("disclosure"))])
    document = desk.house.store.get([record])[record]
    assert document
    assert (document["document"], document["fields"], document["purpose"]) == (SALE.id, ["memo"], "audit")


def test_a_canary_in_a_memo_is_nowhere_in_clear(desk: Desk, settings: Settings) -> None:
    """Posted, refused, told twice, reversed and disclosed: in no document of both databases, in no form."""
    desk.post()
    desk.post()
    with pytest.raises(Refused):
        desk.post(key="refused", entry=a_sale(name="refused", of="revenue:nowhere"))
    Reversals(desk.house.desk, desk.house.books).reverse(a_call("reverse"), ReversalOrder(SALE.id))
    desk.shown()
    desk.house.books.post(a_call("clear"), replace(a_sale(name="clear"), reference="CLEAR-CANARY"))
    raw = b"".join(
        document.SerializeToString()
        for database in (settings.database, settings.keysets_database)
        for document in every_document(settings, database).values()
    )
    assert "utf-8" in [name for name, form in forms("CLEAR-CANARY").items() if form in raw]
    for text in (CANARY, "Ada Canary-Lovelace"):
        assert [name for name, form in forms(text).items() if form in raw] == []


def test_an_entry_without_a_memo_asks_neither_vault_nor_keys(house: Instance) -> None:
    """What is not used costs nothing: the rooms are not even entered."""

    def closed() -> Vault:
        message = "the vault was entered"
        raise AssertionError(message)

    memos = Memos(house.desk, house.books, closed, lambda: Disclosures(house.desk, closed()))
    assert memos.post(a_call("k"), SALE, None).answer.posted


def test_it_verifies_and_stays_closed_when_its_key_is_destroyed(desk: Desk, another: More) -> None:
    """The content hash is over the ciphertext: the journal is whole, the memo unreadable; that it was asked is kept."""
    desk.post()
    gone = subject_keyset_ref(ACME, SALE.id)
    desk.house.keysets.transact((), lambda _: Decision(None, (Delete(gone),)))
    later = a_desk(another())
    with pytest.raises(PersonalDataUnreadable):
        later.shown()
    document = later.stored()
    assert read_entry(document).entry.content_hash == document["content_hash"]
    assert later.house.proven()


def test_another_memos_ciphertext_does_not_open_here(desk: Desk) -> None:
    """It is bound to its tenant, collection, entry and field."""
    memo = desk.post().data.memo
    other = a_sale(name="other")
    desk.post("nothing of note", key="other", entry=other)
    sealer = desk.house.vault.sealer(ACME, SALE.id)
    assert sealer.open(Place(ACME, "entries", SALE.id), MEMO, Sealed(memo), Purpose.AUDIT) == CANARY
    for place, field in (
        (Place(ACME, "entries", other.id), MEMO),
        (Place(ACME, "customers", SALE.id), MEMO),
        (Place(ACME, "entries", SALE.id), "reference"),
    ):
        with pytest.raises(PersonalDataUnreadable):
            sealer.open(place, field, Sealed(memo), Purpose.AUDIT)
    with pytest.raises(PersonalDataUnreadable):
        desk.house.vault.sealer(ACME, other.id).open(Place(ACME, "entries", SALE.id), MEMO, Sealed(memo), Purpose.AUDIT)


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_commit_without_an_answer_keeps_one_memo(desk: Desk, fault: Switch) -> None:
    """What is answered is what is stored: it was sealed once for all attempts of the call."""
    desk.house.line.commits.append(fault)
    answered = desk.post()
    assert desk.house.line.commits == []
    assert (answered.data.memo, answered.content_hash) == (desk.stored()["memo"], desk.stored()["content_hash"])
    assert desk.shown() == CANARY


def test_told_twice_the_first_ciphertext_stays(desk: Desk, another: More) -> None:
    """A retry seals afresh and finds the entry: its answer is the recorded one, on every instance."""
    first = desk.post()
    for one in (desk, a_desk(another())):
        again = one.memos.post(a_call("k"), SALE, CANARY)
        assert (again.replayed, again.answer.entry.data) == (True, first.data)
    assert a_desk(another()).shown() == CANARY


def test_a_late_commit_of_the_first_attempt_finds_its_id_taken(desk: Desk, another: More) -> None:
    """Two ciphertexts of one memo race for one entry; the one that landed is the one that opens."""
    late: list[Commit] = []

    def hold(commit: Commit) -> None:
        late.append(commit)
        a_desk(another()).post()
        raise Killed

    desk.house.line.commits.append(hold)
    with pytest.raises(Killed):
        desk.post()
    with pytest.raises(RpcFailed):
        late[0]()
    assert desk.shown() == CANARY
    assert read_entry(desk.stored()).entry.content_hash == desk.stored()["content_hash"]
    assert desk.house.proven()


@pytest.mark.parametrize("moments", range(6))
def test_killed_at_any_moment_a_redelivery_finishes_it(
    desk: Desk, settings: Settings, keys: LocalKeys, another: More, moments: int
) -> None:
    """Before the books are asked, after the keyset, before and after the entry's commit: one entry, one memo."""
    del settings, keys
    dying = a_desk(another(Fate(moments)))
    try:
        dying.post()
    except Killed:
        finished = a_desk(another()).post()
        assert finished.data.memo == desk.stored()["memo"]
    assert desk.shown() == CANARY
    assert desk.house.proven()


def test_a_refused_entry_keeps_its_memo_sealed(desk: Desk) -> None:
    """Why somebody wanted it posted is as personal as if it had been."""
    refused = a_sale(name="refused", to=WALLET.code, of="assets:bank")
    with pytest.raises(Refused):
        desk.post(entry=refused)
    assert desk.stored(refused)["outcome"] == "refused"
    assert desk.shown(entry=refused) == CANARY


def test_unicode_that_changes_a_hash(desk: Desk, another: More) -> None:
    """A memo in NFC and in NFD is shown the same and verifies; under one id the bytes as received decide."""
    composed, decomposed = (unicodedata.normalize(form, CANARY) for form in ("NFC", "NFD"))
    assert composed != decomposed
    entries = [a_sale(name=name) for name in ("nfc", "nfd")]
    for memo, entry in zip((composed, decomposed), entries, strict=True):
        desk.post(memo, key=entry.cause, entry=replace(entry, cause=f"{entry.cause}/{memo}"))
    assert {desk.shown(f"show-{entry.cause}", entry) for entry in entries} == {composed}
    for entry in entries:
        document = desk.stored(entry)
        assert read_entry(document).entry.content_hash == document["content_hash"]
    with pytest.raises(EntryIdReused):
        a_desk(another()).post(decomposed, key="nfc", entry=replace(entries[0], request_hash="hash-of-nfd"))


def test_there_is_nothing_to_show_without_a_memo_or_an_entry(desk: Desk) -> None:
    """Neither leaves a record of a disclosure that never was."""
    desk.post(None)
    with pytest.raises(NoMemo):
        desk.shown()
    with pytest.raises(UnknownEntry):
        desk.shown(entry=a_sale(name="never"))


# --- metadata and rates ------------------------------------------------------------------


def an_exchange(rate: str = "1.0842") -> JournalEntry:
    """10,000 euro cents for 10,842 dollar cents."""
    euros, dollars = Money(10_000, "EUR"), Money(10_842, "USD")
    lines = (
        credit("assets:bank", euros),
        debit("equity:conversion", euros),
        credit("equity:conversion", dollars),
        debit("assets:bank", dollars),
    )
    data = EntryData({"deal": "FX-7", "desk": "LDN"}, rates=(ExchangeRate("EUR", "USD", Decimal(rate), "ECB"),))
    return JournalEntry(entry_id("fx"), lines, TODAY, "fx", "hash-1", data=data)


def test_an_exchange_keeps_its_rate_and_its_codes(desk: Desk) -> None:
    """What is read back is what was posted, and the document alone hashes to its content hash."""
    desk.house.books.post(a_call("fx"), an_exchange())
    document = desk.stored(an_exchange())
    read = read_entry(document).entry
    assert (read.data, read.content_hash) == (an_exchange().data, document["content_hash"])
    assert desk.house.reports.balance_sheet(ACME, "2026-11").difference == {"EUR": 0, "USD": 0}


def test_an_exchange_is_reversed_by_its_lines_and_without_a_rate(desk: Desk) -> None:
    """A reversal negates what was posted, whatever a euro costs now."""
    desk.house.books.post(a_call("fx"), an_exchange())
    done = Reversals(desk.house.desk, desk.house.books).reverse(a_call("r"), ReversalOrder(an_exchange().id)).answer
    assert (done.posted, done.entry.data) == (True, EntryData())
    assert {row.amount for row in desk.house.reports.trial_balance(ACME, "2026-11").rows} == {0}
    assert desk.house.proven()
