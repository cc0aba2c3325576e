"""People's data at rest: each ciphertext opens under its own subject, place and field, and under no other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from shared.ledger.entry_data import MEMO
from shared.payments.records import RAW
from shared.payroll.records import SEALED_FIELDS
from shared.ports import Fields
from shared.privacy import PersonalDataUnreadable, Place, Purpose, Sealed, Sealer
from tests.simulation.business import Business
from tests.simulation.world import CANARY

Documents = Mapping[str, Mapping[str, Fields]]


@dataclass(frozen=True)
class Closed:
    """A ciphertext, whose it is, and what it is bound to."""

    subject: str
    collection: str
    key: str
    field: str
    stored: bytes
    text: str
    """What must be in it."""


def sealed(business: Business, documents: Documents) -> None:
    """Nobody's data is unreadable to whoever may read it, and none opens elsewhere."""
    house, world, tenant = business.cloud.house(), business.cloud.world, business.tenant
    for one in _all(documents):
        sealer = house.vault.sealer(tenant, one.subject)
        where = f"{one.field} of {one.collection}"
        if not _opens(sealer, Place(tenant, one.collection, one.key), one.field, one):
            world.violated(f"{where} does not open")
        for place, field in (
            (Place(tenant, one.collection, f"{one.key}x"), one.field),
            (Place(tenant, f"{one.collection}x", one.key), one.field),
            (Place(tenant, one.collection, one.key), f"{one.field}x"),
        ):
            if _opens(sealer, place, field, one):
                world.violated(f"{where} opens elsewhere")


def _all(documents: Documents) -> Iterator[Closed]:
    for key, customer in documents.get("customers", {}).items():
        personal = cast("Mapping[str, bytes]", customer["sealed"])
        yield from (Closed(key, "customers", key, name, stored, CANARY) for name, stored in personal.items())
    for key, employee in documents.get("employees", {}).items():
        for name in SEALED_FIELDS:
            yield Closed(key, "employees", key, name, cast("bytes", employee[name]), CANARY)
    for key, entry in documents.get("entries", {}).items():
        if MEMO in entry:
            yield Closed(key, "entries", key, MEMO, cast("bytes", entry[MEMO]), CANARY)
    for key, endpoint in documents.get("webhook_endpoints", {}).items():
        for secret in cast("list[Mapping[str, Any]]", endpoint["secrets"]):
            yield Closed(key, "webhook_endpoints", key, secret["id"], secret["sealed"], "whsec_")
    for key, event in documents.get("inbox", {}).items():
        subject = f"inbox-{cast('datetime', event['received_at']):%Y-%m}"
        yield Closed(subject, "inbox", key, RAW, cast("bytes", event[RAW]), str(event["event_id"]).partition(":")[0])


def _opens(sealer: Sealer, place: Place, field: str, closed: Closed) -> bool:
    text: Sealed[str] = Sealed(closed.stored)
    try:
        return closed.text in sealer.open(place, field, text, Purpose.SUPPORT)
    except PersonalDataUnreadable:
        return False
