"""Mistakes in what partners tell after a payment, and in what their statements say: they must add up to the cent."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta

from emulators.month.clearing import SIGN, tells_fees
from emulators.month.inputs import MonthInputs, Payout, PayoutLine, Settlement, Told
from shared.limits import WAIT_FOR_OBJECT_DAYS

WAITS = timedelta(days=WAIT_FOR_OBJECT_DAYS - 1)
"""How long an event waits for what it is about, and a day to spare."""

ENDS = frozenset({Told.DISPUTE_WON, Told.DISPUTE_LOST})


def disputes(inputs: MonthInputs) -> Iterator[str]:
    """Each payment is disputed once at most, and then it has no refunds; a dispute ends once, with what it began."""
    begun = {each.payment: each for each in inputs.settlements if each.kind is Told.DISPUTE}
    told: set[tuple[str | None, bool]] = set()
    for each in inputs.settlements:
        if each.kind is Told.REFUND and each.payment in begun:
            yield f"{each.place}, payment: {each.payment} is disputed, and has no refunds then"
        if each.kind is not Told.DISPUTE and each.kind not in ENDS:
            continue
        if (each.payment, each.kind in ENDS) in told:
            yield f"{each.place}, payment: the dispute of {each.payment} begins once and ends once"
        told.add((each.payment, each.kind in ENDS))
        if each.kind in ENDS:
            yield from _end(each, begun.get(each.payment))


def _end(each: Settlement, dispute: Settlement | None) -> Iterator[str]:
    if dispute is None:
        yield f"{each.place}, payment: {each.payment} is not disputed"
        return
    if each.amount != dispute.amount:
        yield f"{each.place}, amount: {dispute.reference} is about {dispute.amount}"
    if each.happened_on < dispute.happened_on:
        yield f"{each.place}, happened_on: before {dispute.reference} began"
    if each.delivered_on < dispute.delivered_on - WAITS:
        yield f"{each.place}, delivered_on: too long before {dispute.reference} is told of"


def partners(each: Settlement) -> Iterator[str]:
    """Only a payment names its partner, and a fee only where that partner's events tell it."""
    if each.kind is not Told.PAYMENT and (each.partner or each.fee):
        yield f"{each.place}, partner: only a payment has a partner and a fee"
    elif each.fee and not tells_fees(each.partner or "stripe"):
        yield f"{each.place}, fee: {each.partner or 'stripe'} tells none with a payment; its payout's line has it"
    elif each.fee >= each.amount:
        yield f"{each.place}, fee: not less than the payment"


def payouts(inputs: MonthInputs) -> Iterator[str]:
    """Each payout is what it settles, and nothing is settled twice."""
    rows = {each.reference: each for each in inputs.settlements}
    times = Counter(line.settles for payout in inputs.payouts for line in payout.lines)
    for payout in inputs.payouts:
        row = payout.row
        if not row.day.isoformat().startswith(inputs.accounting.month):
            yield f"{row.place}, day: not in {inputs.accounting.month}"
        came = sum(line.amount - line.fee for line in payout.lines) - row.fee - row.reserve
        if came != row.amount:
            yield f"{row.place}, amount: its lines less fees and reserve come to {came}"
        for line in payout.lines:
            if times[line.settles] > 1:
                yield f"{line.place}, settles: {line.settles} is settled more than once"
            yield from _line(inputs, payout, line, rows)


def _line(inputs: MonthInputs, payout: Payout, line: PayoutLine, rows: Mapping[str, Settlement]) -> Iterator[str]:
    each = rows.get(line.settles)
    if each is None or SIGN[each.kind] == 0 or inputs.payment_of(each).invoice not in inputs.invoices:
        yield f"{line.place}, settles: {line.settles} moves no money in payments.csv"
        return
    if (inputs.partner_of(each), inputs.currency_of(each)) != (payout.row.partner, payout.row.currency):
        yield f"{line.place}, settles: {line.settles} is another partner's, or in another currency"
    if line.amount != SIGN[each.kind] * each.amount:
        yield f"{line.place}, amount: {line.settles} moved {SIGN[each.kind] * each.amount}"
    if tells_fees(payout.row.partner) and line.fee != each.fee:
        yield f"{line.place}, fee: {line.settles} told {each.fee}"
    if each.happened_on > payout.row.day:
        yield f"{line.place}, settles: {line.settles} happened after the payout"
