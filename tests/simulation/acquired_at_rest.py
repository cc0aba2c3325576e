"""What the partner that sends batches told, beside what became of it: each event once, and the books say the same."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from shared.payments.records import payment_id
from shared.payments.rules.accounts import DISPUTED
from shared.ports import Fields
from tests.simulation.acquirer import ROUNDS, Item
from tests.simulation.business import Business
from tests.simulation.invariants import Watch

Documents = Mapping[str, Mapping[str, Fields]]

_CAME: Final = ("AUTHORISATION", "true")
_BEGINS: Final = {"payment_never_came": _CAME, "object_never_came": ("CHARGEBACK", "true")}
"""By the refusal of what follows: what it follows from, and was refused itself since its month was closed."""

_STAGES: Final = dict(zip(ROUNDS, ("open", "won", "lost", "won"), strict=True))


@dataclass(frozen=True)
class _Told:
    """An item, and our event of it."""

    item: Item
    event: Fields

    @property
    def applied(self) -> bool:
        return self.event["state"] == "applied"

    @property
    def refusal(self) -> str:
        refused = cast("Fields | None", self.event["refusal"])
        return str(refused["code"]) if refused else ""


def acquired(business: Business, documents: Documents, watch: Watch) -> None:
    """Every item became one event, every event did what it says once, and nothing else is there."""
    world = business.cloud.world
    events = {
        (str(event["account"]), str(event["event_id"])): event
        for event in documents.get("inbox", {}).values()
        if event["partner"] == "adyen"
    }
    if set(events) != set(business.acquirer.told):
        world.violated(f"{len(business.acquirer.told)} items were told, {len(events)} events are known")
        return
    told = [_Told(item, events[name]) for name, item in business.acquirer.told.items()]
    for problem in (*_ends(told, documents), *_payments(told, documents), *_disputes(told, documents)):
        world.violated(problem)
    for problem in _books(business, documents, watch):
        world.violated(problem)


def _ends(told: list[_Told], documents: Documents) -> Iterator[str]:
    """Each is applied, unless it is behind a later round or a larger amount, or was refused for what is so."""
    for one in told:
        behind = one.event["state"] == "stale" and one.item.code in (*ROUNDS, "CAPTURE_FAILED")
        if not one.applied and not behind and not _explained(one, told, documents):
            yield f"{one.item.event} ended as {one.event['state']!s} {one.refusal}"


def _explained(one: _Told, told: list[_Told], documents: Documents) -> bool:
    """Whether a refusal is right: its month is closed, or what it follows from was refused for that."""
    if one.refusal == "period_closed":
        return was_closed(one.event, documents)
    begins = [
        other
        for other in told
        if other is not one
        and (other.item.code, other.item.success) == _BEGINS.get(one.refusal)
        and other.item.payment == one.item.payment
    ]
    if one.refusal == "object_never_came":
        begins = [other for other in begins if other.item.reference == one.item.reference]
    return bool(begins) and all(other.refusal and _explained(other, told, documents) for other in begins)


def was_closed(event: Fields, documents: Documents) -> bool:
    """Whether something was ever done to the month of an event: one that nobody touched was never closed."""
    return f"{cast('datetime', event['occurred_at']):%Y-%m}" in documents.get("periods", {})


def _payments(told: list[_Told], documents: Documents) -> Iterator[str]:
    payments = documents.get("payments", {})
    for name in {one.item.payment for one in told}:
        account, psp = name
        applied = [one.item for one in told if one.item.payment == name and one.applied]
        of_it = [one.item for one in told if one.item.payment == name and not one.refusal]
        ours = payments.get(payment_id("adyen", psp, account))
        failed = {item.reference for item in applied if item.code == "REFUND_FAILED"}
        # a refund whose failure was told first is on record by itself, with both words: neither brings a payment
        brings = any(item.reference not in failed for item in applied)
        if (ours is not None) is not brings:
            yield f"of {name} {len(applied)} items were applied, and its payment is {'there' if ours else 'nowhere'}"
        if not ours:
            continue
        received = sum(item.amount for item in applied if (item.code, item.success) == _CAME)
        went = [item for item in applied if item.code in {"REFUND", "CANCEL_OR_REFUND"}]
        refunded = sum(item.amount for item in went if item.reference not in failed)
        reversals = [item.amount for item in of_it if item.code == "CAPTURE_FAILED"]
        taken_back = min(max(reversals, default=0), received - refunded)
        found = tuple(ours[part] for part in ("received", "refunded", "reversed"))
        if found != (received, refunded, taken_back):
            yield f"{name} is {found}; the partner says {(received, refunded, taken_back)}"


def _disputes(told: list[_Told], documents: Documents) -> Iterator[str]:
    ended: dict[tuple[str, str], str] = {}
    for code, stage in _STAGES.items():  # the last round stands
        at = [one.item for one in told if one.item.code == code and not one.refusal]
        ended |= {(item.account, item.reference): stage for item in at}
    found = sorted(str(one["stage"]) for one in documents.get("disputes", {}).values())
    if found != sorted(ended.values()):
        yield f"disputes are {found}; the partner says {sorted(ended.values())}"


def _books(business: Business, documents: Documents, watch: Watch) -> Iterator[str]:
    """What partners hold for us and what is in dispute, by payments and disputes and by the entries."""
    held: Counter[str] = Counter()
    for one in documents.get("payments", {}).values():
        held[str(one["partner"])] += cast("int", one["matched"]) + cast("int", one["unapplied"])
    amounts = [(one["stage"], cast("int", one["amount"])) for one in documents.get("disputes", {}).values()]
    disputed = sum(amount for stage, amount in amounts if stage == "open")
    lost = sum(amount for stage, amount in amounts if stage == "lost")
    accounts = {
        "assets:clearing:adyen": held["adyen"] - disputed - lost,
        "assets:clearing:stripe": held["stripe"],
        DISPUTED: disputed,
    }
    for account, wanted in accounts.items():
        if (stands := -watch.stands(business.tenant, account)) != wanted:
            yield f"{account} stands at {stands}, by payments and disputes at {wanted}"
