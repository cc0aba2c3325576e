import re
from collections import Counter
from pathlib import Path

import pytest

from emulators.month.files import read_month
from emulators.month.generate import generate
from emulators.month.inputs import MonthInputs, Told
from emulators.month.mistakes import InputsMistaken
from tests.unit.month.conftest import EXAMPLE

PARTNERS = {"stripe", "adyen", "airwallex", "square", "standard"}


def test_the_example_is_a_month_of_business(example: MonthInputs) -> None:
    """200 invoices to five countries through five partners, each with refunds, disputes and payouts; 300 employees."""
    assert len(example.invoices) >= 200
    assert len(example.employees) == 300
    assert {each.country for each in example.customers} == {"GB", "DE", "FR", "IE", "NL"}
    payments = Counter(each.invoice for each in example.settlements if each.kind is Told.PAYMENT)
    assert set(payments.values()) >= {1, 2, 3}
    told = {(example.partner_of(each), each.kind) for each in example.settlements}
    assert told == {(partner, kind) for partner in PARTNERS for kind in Told}
    assert {payout.row.partner for payout in example.payouts} == PARTNERS


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
    ("payments.csv", "stripe,I-0001", "stripe,I-9001"): "invoice: I-9001 is not in invoices.csv",
    ("payments.csv", "P-0001,payment,stripe", "P-0001,payment,paypal"): "payments.csv line 2, partner: ",
    ("payments.csv", "154.60,0.00", "154.60,1.00"): "fee: stripe tells none with a payment",
    ("payouts.csv", ",2026-11-10,", ",2026-12-10,"): "payouts.csv line 2, day: not in 2026-11",
    ("payouts.csv", "PO-001,adyen", "PO-001,square"): "is another partner's, or in another currency",
    ("payouts.csv", "PO-001,", "PO-901,"): "payout_lines.csv line 2, payout: PO-001 is not in payouts.csv",
    ("payout_lines.csv", "PO-001,P-", "PO-001,P-9"): "moves no money in payments.csv",
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


def test_a_payout_is_what_it_settles(folder: Path) -> None:
    """To the cent: a line less, more, or twice is a mistake."""
    lines = (folder / "payout_lines.csv").read_text(encoding="utf-8").splitlines()
    settled = lines[1].split(",")[1]
    for change, told in (
        (lines[:1] + lines[2:], "payouts.csv line 2, amount: its lines less fees and reserve come to "),
        ([*lines, lines[1]], f"settles: {settled} is settled more than once"),
        ([*lines[:1], lines[1].replace(f"{settled},", f"{settled},9"), *lines[2:]], f"amount: {settled} moved "),
    ):
        (folder / "payout_lines.csv").write_text("\n".join(change) + "\n", encoding="utf-8")
        with pytest.raises(InputsMistaken, match=told):
            read_month(folder)


DISPUTES = {
    "D-9999,dispute,,,P-0001,2026-11-20,2026-11-20,1.00,\nD-9998,dispute,,,P-0001,2026-11-20,2026-11-20,1.00,": (
        "payment: the dispute of P-0001 begins once and ends once"
    ),
    "L-9999,dispute_lost,,,P-0001,2026-11-20,2026-11-20,1.00,": "payment: P-0001 is not disputed",
    "D-9999,dispute,,,P-0001,2026-11-20,2026-11-20,1.00,\nL-9999,dispute_lost,,,P-0001,2026-11-20,2026-11-20,2.00,": (
        "amount: D-9999 is about 1.00"
    ),
    "D-9999,dispute,,,P-0001,2026-11-20,2026-11-20,1.00,\nL-9999,dispute_lost,,,P-0001,2026-11-19,2026-11-19,1.00,": (
        "happened_on: before D-9999 began"
    ),
    "D-9999,dispute,,,P-0001,2026-11-20,2026-11-20,1.00,\nR-9999,refund,,,P-0001,2026-11-20,2026-11-20,1.00,": (
        "payment: P-0001 is disputed, and has no refunds then"
    ),
    "D-9999,dispute,square,,P-0001,2026-11-20,2026-11-20,1.00,": "partner: only a payment has a partner and a fee",
}


@pytest.mark.parametrize(("rows", "told"), DISPUTES.items(), ids=DISPUTES.values())
def test_a_dispute_begins_once_and_ends_as_it_began(folder: Path, rows: str, told: str) -> None:
    """Of a payment that is not given back besides."""
    with (folder / "payments.csv").open("a", encoding="utf-8") as file:
        file.write(f"{rows}\n")
    with pytest.raises(InputsMistaken, match=told):
        read_month(folder)


REFUNDS = {
    "2026-11-20,2026-11-20,999999.00": "amount: more goes back than P-0001 brought",
    "2026-11-02,2026-11-20,1.00": "happened_on: before P-0001 came",
}


@pytest.mark.parametrize(("rest", "told"), REFUNDS.items())
def test_a_refund_gives_back_what_came(folder: Path, rest: str, told: str) -> None:
    """Not more, and not before."""
    with (folder / "payments.csv").open("a", encoding="utf-8") as file:
        file.write(f"R-9999,refund,,,P-0001,{rest},\n")
    with pytest.raises(InputsMistaken, match=told):
        read_month(folder)
