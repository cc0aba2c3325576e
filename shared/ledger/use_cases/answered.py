"""What an entry was answered before is what it is answered again."""

from shared.calls import Call
from shared.desk import read_refusal
from shared.faults import Refused
from shared.ledger.model import JournalEntry
from shared.ledger.records import RecordedEntry, read_entry
from shared.ledger.refusals import EntryIdReused
from shared.ports import Document


def answered_before(call: Call, entry: JournalEntry, known: Document) -> RecordedEntry:
    """The recorded entry under the same id and request; its refusal is raised again.

    Raises:
        EntryIdReused: the id was used with another request.
        Refused: as recorded.
    """
    recorded = read_entry(known)
    if recorded.entry.request_hash not in {entry.request_hash, *call.earlier_hashes}:
        message = "this id was used with another request"
        raise EntryIdReused(message, field="Idempotency-Key")
    if recorded.refusal is not None:
        refusal: Refused = read_refusal(recorded.refusal)
        raise refusal
    return recorded
