"""The delivery log: what was told to an endpoint, and each attempt of it."""

from dataclasses import dataclass

from shared.identity import TenantId
from shared.listing import Listing
from shared.ports import Query, Store, Where
from shared.webhooks.model import Attempt, Delivery, DeliveryState
from shared.webhooks.records import DELIVERIES, attempt_ref, delivery_ref, read_attempt, read_delivery
from shared.webhooks.refusals import UnknownDelivery


@dataclass(frozen=True, slots=True)
class Logged:
    """A delivery with its attempts, the first one first."""

    delivery: Delivery
    attempts: tuple[Attempt, ...]


class DeliveryLog:
    """Reads the deliveries of every tenant."""

    def __init__(self, store: Store) -> None:
        """Read from `store`."""
        self._store = store

    def page(
        self, tenant: TenantId, endpoint_id: str, state: DeliveryState | None, *, limit: int, cursor: str | None
    ) -> Listing[Delivery]:
        """An endpoint's deliveries, of one state or all, newest first, a page at a time."""
        where = [Where("endpoint", "==", endpoint_id)]
        if state:
            where.append(Where("state", "==", state.value))
        query = Query(DELIVERIES, tenant, tuple(where), order=("-created_at",), limit=limit, after=cursor)
        page = self._store.query(query)
        return Listing(tuple(read_delivery(document) for document in page.documents), page.cursor)

    def delivery(self, tenant: TenantId, endpoint_id: str, delivery: str) -> Logged:
        """One delivery with its attempts.

        Raises:
            UnknownDelivery: the endpoint has none under this id.
        """
        ref = delivery_ref(tenant, delivery)
        document = self._store.get([ref])[ref]
        if document is None or document["endpoint"] != endpoint_id:
            message = "no such delivery to this endpoint"
            raise UnknownDelivery(message, field="delivery")
        found = read_delivery(document)
        refs = [attempt_ref(tenant, delivery, number) for number in range(1, found.attempts + 1)]
        kept = self._store.get(refs) if refs else {}
        attempts = (kept[one] for one in refs)
        return Logged(found, tuple(read_attempt(one) for one in attempts if one is not None))
