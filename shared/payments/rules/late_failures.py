"""Where a payment may fail after it has succeeded, the time of each word decides, in whatever order they come.

A direct debit is confirmed, and days later the bank says that it failed after all; it may be tried again, and be
confirmed again. A failure that is older than the success it meets was one of an earlier attempt. So what stands in the
end is what the youngest word says.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Final

from shared.payments.model import EventKind, PartnerEvent, Payment, Stage
from shared.payments.rules.settlement import Invoices, Settlement, restate, taken_since, told_money

FAILS_LATE: Final = frozenset({"gocardless"})
"""Partners that tell such a failure as they tell any other (GoCardless: "payments can fail after being confirmed")."""


class Turn(Enum):
    """What an event is to a payment that may fail late."""

    ORDINARY = "ordinary"
    """As the table of stages has it."""
    REVERSED = "reversed"
    """It had succeeded, and has failed since."""
    PASSED = "passed"
    """It says that it succeeded, and the failure that followed is known already."""
    AGAIN = "again"
    """It had failed after it had succeeded, and succeeds again."""
    STILL = "still"
    """It stands as it stood, by a younger word: nothing moves, and what is older is past."""


_FAILED, _SUCCEEDED = EventKind.PAYMENT_FAILED, EventKind.PAYMENT_SUCCEEDED
_TURNS: Final[Mapping[tuple[EventKind, Stage, bool], Turn]] = {
    (_FAILED, Stage.SUCCEEDED, True): Turn.REVERSED,
    (_FAILED, Stage.FAILED, True): Turn.STILL,
    (_FAILED, Stage.REVERSED, True): Turn.STILL,
    (_SUCCEEDED, Stage.SUCCEEDED, True): Turn.STILL,  # what failed in between has still to come
    (_SUCCEEDED, Stage.FAILED, False): Turn.PASSED,
    (_SUCCEEDED, Stage.REVERSED, True): Turn.AGAIN,
}
"""By the event, the stage it meets, and whether it is younger than what that stage is known by."""


def turn(event: PartnerEvent, known: Payment | None) -> Turn:
    """What an event is to the payment that is known."""
    if known is None or event.partner not in FAILS_LATE:
        return Turn.ORDINARY
    return _TURNS.get((event.kind, known.stage, event.occurred_at > known.occurred_at), Turn.ORDINARY)


def dated(settlement: Settlement, event: PartnerEvent) -> Settlement:
    """The settlement of a payment that stands so since the event."""
    payment = settlement.payment
    return replace(settlement, payment=replace(payment, occurred_at=event.occurred_at) if payment else None)


def still(known: Payment, event: PartnerEvent) -> Settlement:
    """It stands as it stood, by a younger word."""
    return dated(Settlement(replace(known, version=known.version + 1)), event)


def taken_back(known: Payment, event: PartnerEvent, invoices: Invoices) -> Settlement:
    """The bank took back all that came: a new entry, and its invoices are open again."""
    return restate(known, event, invoices, refunded=known.refunded, reversal_told=known.received)


def passed(known: Payment, event: PartnerEvent) -> Settlement:
    """The money came and went before we heard of it: nothing to post, and both are on record."""
    amount = told_money(event).amount
    return Settlement(
        replace(
            known,
            stage=Stage.REVERSED,
            received=known.received + amount,
            reversal_told=known.received + amount,
            reversed=known.reversed + amount,
            version=known.version + 1,
        )
    )


def again(known: Payment, settlement: Settlement) -> Settlement:
    """Money that came again, on the record of what came and went before.

    The bank took all that had come; of what refunds had left it short of, its reversal takes the rest now.
    """
    fresh = settlement.payment
    if fresh is None:
        return settlement
    added = replace(
        fresh,
        received=known.received + fresh.received,
        refunded=known.refunded,
        reversal_told=known.reversal_told,
        reversed=known.reversed,
        fee_told=known.fee_told + fresh.fee_told,
        reversal_fee=known.reversal_fee,
    )
    payment, invoice, taken = taken_since(added, settlement.invoice)
    return replace(settlement, payment=payment, invoice=invoice, lines=(*settlement.lines, *taken))
