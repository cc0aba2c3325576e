"""How much of an invoice may be written off with an allocation: one limit a currency, nothing at first."""

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.identity import TenantId
from shared.limits import PAGE_SIZE
from shared.money import Money
from shared.payments.allocations import WRITE_OFF_LIMITS, read_limit, write_off_limit_ref
from shared.ports import Create, Document, Fields, Query, Update, View


class WriteOffLimits:
    """The limits of every tenant."""

    def __init__(self, desk: Desk) -> None:
        """Write through `desk`."""
        self._desk = desk

    def set(self, call: Call, limit: Money) -> Done[tuple[Money, ...]]:
        """From now on at most so much of an invoice in that currency is written off; zero ends it.

        Raises:
            Retryable: contention or silence outlasted the attempts.
        """
        ref = write_off_limit_ref(call.tenant, limit.currency)
        fields: Fields = {"schema": 1, "amount": limit.amount, "set_by": call.principal, "set_at": call.at}

        def decide(view: View) -> Outcome[tuple[Money, ...]]:
            known = view[ref]
            write = Update(ref, fields, known.version) if known else Create(ref, fields)
            return Outcome(ref, "write_off_limit.set", (limit,), (write,))

        return self._desk.perform(call, [ref], decide, lambda document: (_read(document),))

    def all(self, tenant: TenantId) -> tuple[Money, ...]:
        """Every limit that was set, by currency."""
        page = self._desk.store.query(Query(WRITE_OFF_LIMITS, tenant, limit=PAGE_SIZE))
        return tuple(map(_read, page.documents))


def _read(document: Document) -> Money:
    return Money(read_limit(document), document.ref.key)
