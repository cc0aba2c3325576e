"""How the example month's invoices are paid: in full, in parts, too much, given back, disputed, or not at all."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - seeded: the files can be made again
from typing import Any, Final

from emulators.month.clearing import tells_fees
from emulators.month.expectations import Rates, expected
from emulators.month.files import read_month
from emulators.month.generate_payouts import fee_of
from emulators.month.inputs import Invoice

_PARTNERS: Final = ("stripe", "adyen", "airwallex", "square", "standard")
_STORIES: Final = (
    *("full",) * 9,
    *("two_parts",) * 3,
    "three_parts",
    "some_of_it",
    "too_much",
    "refund",
    "partial_refund",
    "late_refund",
    "dispute_lost",
    "dispute_lost_first",
    "dispute_won",
)
"""What becomes of an invoice that is paid, repeated by how common it is; as many as share no factor with the partners,
so that each partner comes to every story.
"""

_LETTERS: Final = {"refund": "R", "dispute": "D", "dispute_won": "W", "dispute_lost": "L"}


def settlements(chance: Random, folder: Path, last_day: date) -> list[Mapping[str, Any]]:
    """Rows of payments.csv for the invoices of a folder, which holds every other file already."""
    for name, heading in (
        ("payments.csv", "reference"),
        ("employees.csv", "reference"),
        ("payouts.csv", "reference"),
        ("payout_lines.csv", "payout"),
    ):
        (folder / name).write_text(f"{heading}\n", encoding="utf-8")
    inputs = read_month(folder)
    told = _Told(chance, last_day)
    paid = 0
    for place, invoice in enumerate(inputs.invoices.values()):
        if place % 5 == 4 or invoice.row.day > last_day - timedelta(days=8):  # noqa: PLR2004 - one in five is not paid
            continue
        told.partner = _PARTNERS[paid % len(_PARTNERS)]
        told.tell(_STORIES[paid % len(_STORIES)], invoice, expected(invoice, inputs.tenant, Rates.read()).gross)
        paid += 1
    return told.rows


class _Told:
    """The rows so far."""

    def __init__(self, chance: Random, last_day: date) -> None:
        self.rows: list[Mapping[str, Any]] = []
        self.partner = ""
        self._chance, self._last_day = chance, last_day

    def tell(self, story: str, invoice: Invoice, gross: int) -> None:
        """Add the rows of one invoice's story; `gross` in minor units."""
        day = self._after(invoice.row.day, 1, 4)
        match story:
            case "full":
                self._pay(invoice, day, gross)
            case "two_parts" | "three_parts" | "some_of_it":
                parts = list(_parts(gross, 2 if story == "two_parts" else 3))
                for part in parts[:-1] if story == "some_of_it" else parts:
                    self._pay(invoice, day, part)
                    day = self._after(day, 1, 2)
            case "too_much":
                self._pay(invoice, day, gross + self._chance.randint(100, 5000))
            case "refund":
                payment = self._pay(invoice, day, gross)
                self._give_back(payment, day, gross)
            case "partial_refund":
                payment = self._pay(invoice, day, gross)
                self._give_back(payment, self._after(day, 1, 2), max(gross // 3, 1))
            case "late_refund":
                self._late(self._pay(invoice, day, gross), day, gross)
            case _:
                self._dispute(story, self._pay(invoice, day, gross), day, gross)

    def _late(self, payment: str, day: date, gross: int) -> None:
        """Two refunds, of which the first is told of after the second, which has told of both."""
        first, second = day + timedelta(days=1), day + timedelta(days=2)
        self._give_back(payment, first, max(gross // 4, 1), delivered_on=day + timedelta(days=3))
        self._give_back(payment, second, max(gross // 5, 1))

    def _dispute(self, story: str, payment: str, day: date, gross: int) -> None:
        """Opened and ended; one of the lost ones is told of as lost before it is told of at all."""
        begun, ended = self._after(day, 1, 2), self._after(day, 4, 6)
        first = story == "dispute_lost_first"
        ended = begun if first else ended
        told_begun = min(begun + timedelta(days=1), self._last_day) if first else begun
        self._later("dispute", payment, _told(begun, told_begun, gross))
        self._later(story.removesuffix("_first"), payment, _told(ended, ended, gross))

    def _pay(self, invoice: Invoice, day: date, amount: int) -> str:
        reference = f"P-{len(self.rows) + 1:04}"
        delivered_on = day + timedelta(days=self._chance.random() < 0.1)  # noqa: PLR2004 - one in ten is told of late
        about = {"reference": reference, "kind": "payment", "partner": self.partner, "invoice": invoice.row.reference}
        fee = Decimal(fee_of(amount) if tells_fees(self.partner) else 0).scaleb(-2)
        self.rows.append(about | _told(day, delivered_on, amount) | {"fee": fee})
        return reference

    def _give_back(self, payment: str, day: date, amount: int, delivered_on: date | None = None) -> None:
        self._later("refund", payment, _told(day, delivered_on or day, amount))

    def _later(self, kind: str, payment: str, told: Mapping[str, Any]) -> None:
        """What becomes of a payment."""
        reference = f"{_LETTERS[kind]}-{len(self.rows) + 1:04}"
        self.rows.append({"reference": reference, "kind": kind, "payment": payment, **told})

    def _after(self, day: date, fewest: int, most: int) -> date:
        return min(day + timedelta(days=self._chance.randint(fewest, most)), self._last_day)


def _parts(amount: int, count: int) -> Iterator[int]:
    """An amount in about equal parts that sum to it."""
    for place in range(count):
        yield amount * (place + 1) // count - amount * place // count


def _told(happened_on: date, delivered_on: date, amount: int) -> dict[str, Any]:
    return {"happened_on": happened_on, "delivered_on": delivered_on, "amount": Decimal(amount).scaleb(-2)}
