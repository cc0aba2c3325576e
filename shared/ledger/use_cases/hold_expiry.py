"""The sweep that lets holds expire: over all tenants by their due time, each released under its own tenant.

It may be late, run twice or beside anything else: a hold past its time is not posted any more whether or not
the sweep has come, and what it finds ended it leaves as it is.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import structlog

from shared.calls import Call
from shared.desk import Desk
from shared.faults import Fault, Retryable
from shared.identity import Cause, StoredId
from shared.ledger.use_cases.holds import Holds
from shared.listing import every
from shared.ports import Document, Query, Where

DOOR: Final = "expire_holds"
PAGE: Final = 100
PAGES: Final = 20
"""Holds a firing: the next one goes on with what is still due, oldest first."""

_log = structlog.get_logger(__name__)


class HoldExpiry:
    """Releases the holds of all tenants whose time is over."""

    def __init__(self, desk: Desk, holds: Holds) -> None:
        """Look for them in the desk's store, release them through `holds`."""
        self._store, self._holds = desk.store, holds

    def sweep(self, at: datetime, request_id: str, traceparent: str) -> int:
        """Release what was due by an instant, at most PAGE times PAGES holds; returns how many had not ended.

        Raises:
            Retryable: at least one could not be released; the others were.
        """
        released, left = 0, 0
        for document in self._due(at):
            tenant, hold = document.ref.tenant, StoredId(document.ref.key)
            if tenant is None:
                message = f"{document.ref.path} belongs to no tenant"
                raise LookupError(message)
            cause = Cause("system", DOOR, f"{tenant}:{hold}")
            call = Call(tenant, f"system:{DOOR}", cause, request_id, "", traceparent, at)
            try:
                released += not self._holds.expire(call, hold).replayed
            except (Fault, LookupError) as fault:  # one tenant's broken hold keeps no other's money
                _log.warning("hold_not_expired", tenant=tenant, hold=hold, exception=type(fault).__name__)
                left += 1
        if left:
            message = "some holds could not be released now"
            raise Retryable(message, detail={"left": left})
        return released

    def _due(self, at: datetime) -> Iterator[Document]:
        """Holds still reserved whose time is over, a page at a time."""
        over = Where("due_at", "<=", at)
        query = Query("holds", where=(over,), order=("due_at",), limit=PAGE, group=True, only=("state",))
        return every(self._store, query, most=PAGES)
