"""Showing personal data to a person: first the record of who asked and why, then the data.

The answer is never stored. A repeated call finds its record and opens the fields again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.faults import IdempotencyKeyReused
from shared.ports import Create, Document, Value, View, tenant_ref
from shared.privacy.model import Place, Purpose, Sealed
from shared.privacy.vault import Vault


@dataclass(frozen=True, slots=True)
class Disclosed:
    """Fields of one data subject, opened; the values are not part of the printed form."""

    subject: str
    purpose: Purpose
    values: Mapping[str, str] = field(repr=False)


class Disclosures:
    """Opens fields for people, with a record of each time."""

    def __init__(self, desk: Desk, vault: Vault) -> None:
        """Record through `desk`, open through `vault`."""
        self._desk, self._vault = desk, vault

    def disclose(
        self, call: Call, place: Place, sealed: Mapping[str, Sealed[str]], purpose: Purpose
    ) -> Done[Disclosed]:
        """Record that these fields are shown, then open them. The data subject is the place's document.

        Raises:
            PersonalDataUnreadable: a key is gone; that it was asked for stays recorded.
            IdempotencyKeyReused: the same cause asked for something else.
            Retryable: keys or store did not answer.
        """
        ref = tenant_ref(call.tenant, "disclosures", call.cause.stored_id("disclosure"))
        names = sorted(sealed)

        def decide(view: View) -> Outcome[list[str]]:
            fields: dict[str, Value] = {
                "schema": 1,
                "collection": place.collection,
                "document": place.document,
                "fields": names,
                "purpose": purpose.value,
                "principal": call.principal,
                "at": call.at,
            }
            action, known = f"{place.collection}.disclose", view[ref] if view.failures else None
            if known is None:
                return Outcome(ref, action, names, (Create(ref, fields),))
            if any(known[name] != value for name, value in fields.items() if name != "at"):
                message = "this Idempotency-Key was used with another request"
                raise IdempotencyKeyReused(message, field="Idempotency-Key")
            return Outcome(ref, action, names)

        done = self._desk.perform(call, (), decide, _names)
        sealer = self._vault.sealer(call.tenant, place.document)
        values = {name: sealer.open(place, name, sealed[name], purpose) for name in done.answer}
        return Done(Disclosed(place.document, purpose, values), done.replayed)


def _names(document: Document) -> list[str]:
    return cast("list[str]", document["fields"])
