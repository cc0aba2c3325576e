"""Make the example month's files: `python -m emulators.month.generate [FOLDER]`; the same seed, the same files.

All people, companies, accounts and ids are invented; ids are valid in form only.
"""

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - seeded: the files can be made again
from typing import Any, Final

from emulators.catalogue import REPOSITORY
from emulators.month import invented
from emulators.month.files import read_month
from emulators.month.generate_payouts import payouts
from emulators.month.generate_payroll import employees
from emulators.month.generate_settlements import settlements
from shared.tax.vat_ids import is_vat_id

SEED: Final = 202611
FOLDER: Final = REPOSITORY / "examples" / "month"
FIRST_DAY: Final = date(2026, 11, 2)
LAST_DAY: Final = date(2026, 11, 30)
CUSTOMERS: Final = {"GB": 24, "DE": 12, "FR": 10, "IE": 8, "NL": 10}
INVOICES: Final = 240

TENANT: Final = {
    "tenant": "lanternworks",
    "legal_name": "Lantern Works Ltd",
    "country": "GB",
    "currency": "GBP",
}
ACCOUNTING: Final = {
    "month": "2026-11",
    "principals": {
        "owner": "user:owner",
        "accountant": "user:accountant",
        "payroll_preparer": "user:payroll-preparer",
        "payroll_approver": "user:payroll-approver",
    },
    "entries": [
        {
            "reference": "OPENING-GBP",
            "day": "2026-11-02",
            "lines": [
                {"account": "assets:bank", "side": "debit", "amount": "2500000.00", "currency": "GBP"},
                {"account": "equity:share_capital", "side": "credit", "amount": "2500000.00", "currency": "GBP"},
            ],
        },
        {
            "reference": "OPENING-EUR",
            "day": "2026-11-02",
            "lines": [
                {"account": "assets:bank", "side": "debit", "amount": "150000.00", "currency": "EUR"},
                {"account": "equity:share_capital", "side": "credit", "amount": "150000.00", "currency": "EUR"},
            ],
        },
        {
            "reference": "BANK-CHARGES",
            "day": "2026-11-30",
            "lines": [
                {"account": "expenses:bank_charges", "side": "debit", "amount": "42.50", "currency": "GBP"},
                {"account": "assets:bank", "side": "credit", "amount": "42.50", "currency": "GBP"},
            ],
        },
    ],
    "payroll": {"pay_date": "2026-11-27"},
    "close": "soft",
}


def generate(folder: Path, seed: int = SEED) -> None:
    """Write every file of the month into a folder."""
    chance = Random(seed)  # noqa: S311 - invents, hides nothing
    folder.mkdir(parents=True, exist_ok=True)
    customers = [each for country, count in CUSTOMERS.items() for each in _customers(chance, country, count)]
    for number, customer in enumerate(customers, 1):
        customer["reference"] = f"C-{number:03}"
    invoices, invoice_lines = _invoices(chance, customers)
    _write_object(folder / "tenant.json", TENANT | _registrations(chance))
    _write_object(folder / "accounting.json", ACCOUNTING)
    _write_rows(folder / "customers.csv", customers, "reference name email country kind vat_id currency")
    _write_rows(folder / "invoices.csv", invoices, "reference day customer supply due_days")
    _write_rows(folder / "invoice_lines.csv", invoice_lines, "invoice description quantity unit_price category")
    told = settlements(chance, folder, LAST_DAY)
    paid_out, lines = payouts(read_month(folder), told)
    _write_rows(
        folder / "payments.csv", told, "reference kind partner invoice payment happened_on delivered_on amount fee"
    )
    _write_rows(folder / "payouts.csv", paid_out, "reference partner currency day amount fee reserve")
    _write_rows(folder / "payout_lines.csv", lines, "payout settles amount fee")
    _write_rows(
        folder / "employees.csv",
        employees(Random(seed + 1)),  # noqa: S311 - as above; what is paid changes nobody's terms
        "reference name bank_account tax_id tax_code ni_category annual_salary student_loan_plans"
        " tax_year taxable_pay_to_date tax_to_date",
    )


# --- customers ---------------------------------------------------------------------------


def _registrations(chance: Random) -> dict[str, Any]:
    return {
        "vat_id": _vat_id(chance, "GB"),
        "tax_registrations": [
            {"country": country, "vat_id": _vat_id(chance, country)} for country in CUSTOMERS if country != "GB"
        ],
    }


def _customers(chance: Random, country: str, count: int) -> list[dict[str, str]]:
    return [_customer(chance, country, is_business=place % 5 < 3) for place in range(count)]  # noqa: PLR2004 - three in five


def _customer(chance: Random, country: str, *, is_business: bool) -> dict[str, str]:
    name = (invented.company if is_business else invented.person)(chance, country)
    box = "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())
    other = "GBP" if country == "IE" else "EUR"
    home = "GBP" if country == "GB" else "EUR"
    return {
        "name": name,
        "email": f"{box}@{country.lower()}.example.com",
        "country": country,
        "kind": "business" if is_business else "consumer",
        "vat_id": _vat_id(chance, country) if is_business else "",
        "currency": other if chance.random() < 0.15 else home,  # noqa: PLR2004 - about one in seven
    }


def _vat_id(chance: Random, country: str) -> str:
    """A VAT id that passes its country's check digits, found by trying."""
    shapes = {
        "GB": "GB#########",
        "DE": "DE#########",
        "FR": "FR###########",
        "IE": "IE#######@",
        "NL": "NL#########B01",
    }
    while True:
        drawn = "".join(_drawn(chance, sign) for sign in shapes[country])
        if is_vat_id(country, drawn):
            return drawn


def _drawn(chance: Random, sign: str) -> str:
    letters = {"#": "0123456789", "@": "ABCDEFGHIJKLMNOPQRSTUVW"}
    return chance.choice(letters[sign]) if sign in letters else sign


# --- invoices ----------------------------------------------------------------------------


def _invoices(
    chance: Random, customers: Sequence[Mapping[str, str]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    days = [day for day in _days() if day.weekday() < 5]  # noqa: PLR2004 - Saturday is 5
    invoices: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for place in range(INVOICES):
        customer = customers[place % len(customers)] if place < len(customers) else chance.choice(customers)
        supply = _supply(chance, customer)
        reference = f"I-{place + 1:04}"
        invoices.append(
            {
                "reference": reference,
                "day": days[place * len(days) // INVOICES],
                "customer": customer["reference"],
                "supply": supply,
                "due_days": chance.choice((0, 7, 14, 14, 30, 30)),
            }
        )
        lines += [_line(chance, reference, customer, supply) for _ in range(chance.choice((1, 1, 2, 3, 4)))]
    return invoices, lines


def _days() -> Iterable[date]:
    return (FIRST_DAY + timedelta(days=after) for after in range((LAST_DAY - FIRST_DAY).days + 1))


def _supply(chance: Random, customer: Mapping[str, str]) -> str:
    digital = 0.4 if customer["kind"] == "business" else 0.8
    return "digital_service" if chance.random() < digital else "service"


def _line(chance: Random, invoice: str, customer: Mapping[str, str], supply: str) -> dict[str, Any]:
    service = chance.choice(invented.services(supply))
    low, high = (int(Decimal(service[name]) * 100) for name in ("lowest", "highest"))
    quantity = Decimal(chance.choice((100, 150, 200, 250, 325, 750, 1200, 1333, 4000))).scaleb(-2).normalize()
    return {
        "invoice": invoice,
        "description": service["description"],
        "quantity": f"{quantity:f}",
        "unit_price": Decimal(chance.randint(low, high)).scaleb(-2),
        "category": _category(chance, customer, supply),
    }


def _category(chance: Random, customer: Mapping[str, str], supply: str) -> str:
    abroad = customer["country"] != "GB"
    if abroad and customer["kind"] == "business":
        return "standard"
    taxing = customer["country"] if abroad and supply == "digital_service" else "GB"
    return chance.choice(invented.categories(taxing))


# --- writing -----------------------------------------------------------------------------


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]], names: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names.split(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_object(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
