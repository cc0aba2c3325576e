"""Memos: free text on an entry, sealed before the entry is posted, shown for a purpose.

Each entry with a memo is a data subject of its own: its key can be destroyed alone, and the entry,
whose content hash covers the ciphertext, verifies as before.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from shared.calls import Call, Done
from shared.desk import Desk, document_at
from shared.faults import Refused
from shared.identity import StoredId, TenantId
from shared.ledger.entry_data import MEMO, memo_text
from shared.ledger.model import JournalEntry
from shared.ledger.records import RecordedEntry, entry_ref, read_entry
from shared.ledger.refusals import NoMemo, UnknownEntry
from shared.ledger.use_cases.batches import Batch
from shared.ledger.use_cases.posting import Books
from shared.ledger.use_cases.together import Posting
from shared.privacy import Disclosed, Disclosures, Place, Purpose, Sealed, Sealer, Vault


class Memos:
    """The memos of every tenant."""

    def __init__(
        self, desk: Desk, books: Books, vault: Callable[[], Vault], disclosures: Callable[[], Disclosures]
    ) -> None:
        """Post through `books`; vault and disclosures are asked for only when there is a memo to seal or show."""
        self._store, self._books, self._vault, self._disclosures = desk.store, books, vault, disclosures

    def post(self, call: Call, entry: JournalEntry, memo: str | None) -> Done[RecordedEntry]:
        """As `Books.post`, with a memo that leaves this call only as ciphertext; without one, nothing is added.

        Raises:
            PersonalDataUnreadable: the tenant's key is gone.
            Refused, Retryable: as `Books.post`; keys did not answer.
        """
        return self._books.post(call, entry if memo is None else self.sealed(call.tenant, entry, memo))

    def sealed(self, tenant: TenantId, entry: JournalEntry, memo: str) -> JournalEntry:
        """The entry with its memo sealed under a key of its own, made if need be: one commit beside the books.

        Raises:
            PersonalDataUnreadable: the tenant's key is gone.
            NotText: the memo is no Unicode text.
            Retryable: keys or store did not answer.
        """
        return _with_memo(tenant, entry, memo, self._vault().create_subject(tenant, entry.id))

    def sealed_batch(self, tenant: TenantId, batch: Batch, memos: Mapping[StoredId, str]) -> Batch:
        """The batch with the memos of some entries sealed, each under a key of its entry's own.

        The keys of all are made in one commit beside the books, under the tenant's key, which KMS is asked for once.

        Raises:
            PersonalDataUnreadable: the tenant's key is gone.
            NotText: a memo is no Unicode text.
            Retryable: keys or store did not answer.
        """
        if not memos:
            return batch
        sealers = self._vault().create_subjects(tenant, memos)

        def kept(place: Posting | Refused) -> Posting | Refused:
            if isinstance(place, Refused) or place.entry.id not in memos:
                return place
            entry = place.entry
            return replace(place, entry=_with_memo(tenant, entry, memos[entry.id], sealers[entry.id]))

        return replace(batch, places=tuple(map(kept, batch.places)))

    def disclose(self, call: Call, entry_id: StoredId, purpose: Purpose) -> Done[Disclosed]:
        """Show a memo to a person, with a record of who asked and why.

        Raises:
            UnknownEntry: there is none under this id.
            NoMemo: the entry has none.
            PersonalDataUnreadable: its key is gone; that it was asked for stays recorded.
            Retryable: keys or store did not answer.
        """
        missing = UnknownEntry("no such journal entry", field="id")
        document = document_at(self._store, entry_ref(call.tenant, entry_id), missing)
        memo = read_entry(document).entry.data.memo
        if not memo:
            message = "the entry has no memo"
            raise NoMemo(message, field="fields")
        return self._disclosures().disclose(call, _place(call.tenant, entry_id), {MEMO: Sealed(memo)}, purpose)


def _with_memo(tenant: TenantId, entry: JournalEntry, memo: str, sealer: Sealer) -> JournalEntry:
    sealed = sealer.seal(_place(tenant, entry.id), MEMO, memo_text(memo))
    return replace(entry, data=replace(entry.data, memo=sealed.stored))


def _place(tenant: TenantId, entry_id: StoredId) -> Place:
    """What a memo is bound to; the entry is its own data subject."""
    return Place(tenant, "entries", entry_id)
