import re
from collections import Counter
from pathlib import Path

import pytest

from emulators.month.files import read_month
from emulators.month.generate import generate
from emulators.month.inputs import MonthInputs, Told
from emulators.month.mistakes import InputsMistaken
from tests.unit.month.conftest import EXAMPLE


def test_the_example_is_a_month_of_business(example: MonthInputs) -> None:
    """200 invoices to five countries, 300 employees, parts of payments and refunds among them."""
    assert len(example.invoices) >= 200
    assert len(example.employees) == 300
    assert {each.country for each in example.customers} == {"GB", "DE", "FR", "IE", "NL"}
    payments = Counter(each.invoice for each in example.settlements if each.kind is Told.PAYMENT)
    assert set(payments.values()) >= {1, 2, 3}
    assert any(each.kind is Told.REFUND for each in example.settlements)


def test_the_examples_tax_ids_are_nobodys(example: MonthInputs) -> None:
    """QQ is a prefix that no National Insurance number has."""
    assert all(re.fullmatch(r"QQ\d{6}[A-D]", each.tax_id) for each in example.employees)


def test_the_example_can_be_made_again(tmp_path: Path) -> None:
    """The kept generator with its kept seed makes the kept files."""
    generate(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in EXAMPLE.iterdir() if path.name != "README.md"}


MISTAKES = {
    ("customers.csv", "C-001,", "C-002,"): "customers.csv line 3, reference: C-002 was used before",
    ("customers.csv", ",GB,business", ",GB,partnership"): "customers.csv line 2, kind: ",
    ("customers.csv", ",DE,business,DE", ",DE,business,XX"): ", vat_id: a business abroad needs a valid VAT id of DE",
    ("customers.csv", "reference,name", "reference,title"): "customers.csv line 2, name: Field required",
    ("invoices.csv", "I-0001,2026-11-02", "I-0001,2026-12-02"): "invoices.csv line 2, day: not in 2026-11",
    ("invoices.csv", "I-0001,2026-11-02", "I-0001,yesterday"): "invoices.csv line 2, day: ",
    ("invoices.csv", "I-0001,", "I-9001,"): "reference: I-9001 has no line in invoice_lines.csv",
    ("invoice_lines.csv", "I-0002,", "I-9002,"): "invoice: I-9002 is not in invoices.csv",
    ("invoice_lines.csv", ",standard", ",parking"): "invoice_lines.csv line 2, category: GB has no rate named parking",
    ("payments.csv", "P-0001,payment,I-0001", "P-0001,payment,I-9001"): "invoice: I-9001 is not in invoices.csv",
    ("payments.csv", "2026-11-03,2026-11-03", "2026-11-03,2026-11-02"): "payments.csv line 2, delivered_on: ",
    ("employees.csv", ",J,", ",JJ,"): ", ni_category: ",
    ("tenant.json", '"GBP"', '"XXX"'): "tenant.json, currency: ",
    ("accounting.json", "payroll-approver", "payroll-preparer"): "principals.payroll_approver: ",
    ("accounting.json", '"42.50"', '"42.51"'): "accounting.json, entries.2.lines: debits do not equal credits",
    ("accounting.json", '"soft"', ""): "accounting.json line ",
}


@pytest.mark.parametrize(("change", "told"), MISTAKES.items(), ids=lambda each: str(each)[:60])
def test_a_mistake_is_told_by_file_line_and_field(folder: Path, change: tuple[str, str, str], told: str) -> None:
    """Before anything is started."""
    name, old, new = change
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputsMistaken) as mistaken:
        read_month(folder)
    assert told in str(mistaken.value)


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    """A missing file does not hide a wrong row of another."""
    (folder / "tenant.json").unlink()
    text = (folder / "employees.csv").read_text(encoding="utf-8")
    (folder / "employees.csv").write_text(text.replace("2026-27", "2026", 2), encoding="utf-8")
    with pytest.raises(InputsMistaken) as mistaken:
        read_month(folder)
    assert [line.split(":")[0] for line in mistaken.value.mistakes] == [
        "tenant.json",
        "employees.csv line 2, tax_year",
        "employees.csv line 3, tax_year",
    ]


REFUNDS = {
    "2026-11-20,2026-11-20,999999.00": "amount: more goes back than P-0001 brought",
    "2026-11-02,2026-11-20,1.00": "happened_on: before P-0001 came",
}


@pytest.mark.parametrize(("rest", "told"), REFUNDS.items())
def test_a_refund_gives_back_what_came(folder: Path, rest: str, told: str) -> None:
    """Not more, and not before."""
    with (folder / "payments.csv").open("a", encoding="utf-8") as file:
        file.write(f"R-9999,refund,,P-0001,{rest}\n")
    with pytest.raises(InputsMistaken, match=told):
        read_month(folder)
