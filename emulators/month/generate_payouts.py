"""How the example month's partners pay out: on three days, each currency by itself, what was told until then."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from emulators.month.clearing import tells_fees
from emulators.month.inputs import MonthInputs

DAYS: Final = (date(2026, 11, 10), date(2026, 11, 17), date(2026, 11, 25))
PAYOUT_FEES: Final = {"airwallex": 30, "square": 25, "standard": 10}
"""What a payout costs by itself."""
DISPUTE_FEES: Final = {"stripe": 1500, "adyen": 750, "airwallex": 1000}
"""What a dispute costs, where statements say it."""
RESERVES: Final = {"adyen": 5}
"""Percent of its payments that a payout holds back; the last one lets the first one's go."""

Row = Mapping[str, Any]


def fee_of(amount: int) -> int:
    """What a partner keeps of a payment: 1.4 percent and twenty, never half of it; minor units."""
    return min(amount * 14 // 1000 + 20, amount // 3)


def payouts(inputs: MonthInputs, settlements: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Rows of payouts.csv and payout_lines.csv; `settlements` are the rows of payments.csv."""
    payments = {row["reference"]: row for row in settlements if row["kind"] == "payment"}
    by_held: dict[tuple[str, str], list[Row]] = {}
    for row in settlements:
        payment = payments[row["payment"]] if row["kind"] != "payment" else row
        currency = inputs.invoices[payment["invoice"]].customer.currency
        by_held.setdefault((payment["partner"], currency), []).append(row)
    rows: list[Row] = []
    lines: list[Row] = []
    for held in sorted(by_held):
        for row, settled in _of_one(held, by_held[held]):
            reference = f"PO-{len(rows) + 1:03}"
            rows.append({"reference": reference, **row})
            lines += [{"payout": reference, **each} for each in settled]
    return rows, lines


def _of_one(held: tuple[str, str], settlements: Sequence[Row]) -> Iterator[tuple[Row, list[Row]]]:
    """A partner's payouts in a currency; what comes to nothing waits for the next."""
    partner, currency = held
    left = sorted((row for row in settlements if row["kind"] != "dispute_lost"), key=_told)
    reserved = 0
    for day in DAYS:
        due = [row for row in left if row["delivered_on"] < day]
        settled: list[Row] = [_line(partner, row) for row in due]
        gross = sum(line["amount"] for line in settled if line["amount"] > 0)
        reserve = -reserved if day == DAYS[-1] else int(gross * 100) * RESERVES.get(partner, 0) // 100
        fee = PAYOUT_FEES.get(partner, 0)
        amount = sum(line["amount"] - line["fee"] for line in settled) - _major(fee + reserve)
        if amount <= 0:
            continue
        left = [row for row in left if row not in due]
        reserved = reserved or reserve
        about: dict[str, Any] = {"partner": partner, "currency": currency, "day": day}
        yield about | {"amount": amount, "fee": _major(fee), "reserve": _major(reserve)}, settled


def _line(partner: str, row: Row) -> dict[str, Any]:
    came = row["kind"] in {"payment", "dispute_won"}
    return {"settles": row["reference"], "amount": row["amount"] if came else -row["amount"], "fee": _fee(partner, row)}


def _fee(partner: str, row: Row) -> Decimal:
    if tells_fees(partner):
        told: Decimal = row["fee"] if row["kind"] == "payment" else Decimal("0.00")
        return told
    minor_units = {"payment": fee_of(int(row["amount"] * 100)), "dispute": DISPUTE_FEES.get(partner, 0)}
    return _major(minor_units.get(row["kind"], 0))


def _told(row: Row) -> tuple[date, str]:
    return row["delivered_on"], row["reference"]


def _major(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)
