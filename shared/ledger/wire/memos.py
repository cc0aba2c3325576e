"""Memos on the wire: they come in as text, are sealed, and come out by a disclosure only."""

from typing import Annotated, Literal

from pydantic import Field

from shared.ledger.wire.entries import NewEntry
from shared.limits import MEMO_CHARACTERS
from shared.privacy.model import Purpose
from shared.wire import Text, Wire


class NewEntryWithMemo(NewEntry):
    """A journal entry to post; a memo may speak of people, for it is sealed before anything is stored."""

    memo: Annotated[Text, Field(max_length=MEMO_CHARACTERS)] | None = None


class EntryDisclosure(Wire):
    """What of an entry is to be opened, and what for; both are recorded."""

    fields: Annotated[tuple[Literal["memo"], ...], Field(min_length=1, max_length=1)]
    purpose: Purpose
