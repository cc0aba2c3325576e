"""How the example month's invoices are paid: in full, in parts, too much, given back, or not at all."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - seeded: the files can be made again
from typing import Any, Final

from emulators.month.expectations import Rates, expected
from emulators.month.files import read_month
from emulators.month.inputs import Invoice

_STORIES: Final = (
    *("full",) * 11,
    *("two_parts",) * 3,
    "three_parts",
    "some_of_it",
    "too_much",
    "refund",
    "partial_refund",
    "late_refund",
)
"""What becomes of an invoice that is paid, repeated by how common it is."""


def settlements(chance: Random, folder: Path, last_day: date) -> list[Mapping[str, Any]]:
    """Rows of payments.csv for the invoices of a folder, which holds every other file already."""
    for name, heading in (("payments.csv", "reference"), ("employees.csv", "reference")):
        (folder / name).write_text(f"{heading}\n", encoding="utf-8")
    inputs = read_month(folder)
    told = _Told(chance, last_day)
    for place, invoice in enumerate(inputs.invoices.values()):
        if place % 5 == 4 or invoice.row.day > last_day - timedelta(days=8):  # noqa: PLR2004 - one in five is not paid
            continue
        story = _STORIES[place % len(_STORIES)] if place < 3 * len(_STORIES) else chance.choice(_STORIES)
        told.tell(story, invoice, expected(invoice, inputs.tenant, Rates.read()).gross)
    return told.rows


class _Told:
    """The rows so far."""

    def __init__(self, chance: Random, last_day: date) -> None:
        self.rows: list[Mapping[str, Any]] = []
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
            case _:
                self._late(self._pay(invoice, day, gross), day, gross)

    def _late(self, payment: str, day: date, gross: int) -> None:
        """Two refunds, of which the first is told of after the second, which has told of both."""
        first, second = day + timedelta(days=1), day + timedelta(days=2)
        self._give_back(payment, first, max(gross // 4, 1), delivered_on=day + timedelta(days=3))
        self._give_back(payment, second, max(gross // 5, 1))

    def _pay(self, invoice: Invoice, day: date, amount: int) -> str:
        reference = f"P-{len(self.rows) + 1:04}"
        delivered_on = day + timedelta(days=self._chance.random() < 0.1)  # noqa: PLR2004 - one in ten is told of late
        about = {"reference": reference, "kind": "payment", "invoice": invoice.row.reference}
        self.rows.append(about | _told(day, delivered_on, amount))
        return reference

    def _give_back(self, payment: str, day: date, amount: int, delivered_on: date | None = None) -> None:
        reference = f"R-{len(self.rows) + 1:04}"
        about = {"reference": reference, "kind": "refund", "payment": payment}
        self.rows.append(about | _told(day, delivered_on or day, amount))

    def _after(self, day: date, fewest: int, most: int) -> date:
        return min(day + timedelta(days=self._chance.randint(fewest, most)), self._last_day)


def _parts(amount: int, count: int) -> Iterator[int]:
    """An amount in about equal parts that sum to it."""
    for place in range(count):
        yield amount * (place + 1) // count - amount * place // count


def _told(happened_on: date, delivered_on: date, amount: int) -> dict[str, Any]:
    return {"happened_on": happened_on, "delivered_on": delivered_on, "amount": Decimal(amount).scaleb(-2)}
