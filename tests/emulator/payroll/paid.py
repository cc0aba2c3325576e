"""Whom a run pays, and what it leaves behind: payslips, entries, years to date, announcements."""

from concurrent.futures import ThreadPoolExecutor
from random import Random  # noqa: TID251 - seeded by the test: the same order in every run
from typing import Final

from shared.events import Command
from shared.ledger.chart import (
    EMPLOYER_CONTRIBUTIONS,
    INCOME_TAX_WITHHELD,
    NET_PAY,
    SOCIAL_CONTRIBUTIONS,
    WAGES,
)
from shared.ledger.records import RecordedEntry
from shared.payroll.countries.gb.categories import Plan
from shared.payroll.countries.gb.tax_code import TaxCode
from shared.payroll.model import YearToDate
from shared.payroll.records import read_year, year_ref
from shared.payroll.runs import PayrollRun, RunPayslip
from tests.builders import ACME
from tests.emulator.instances import Instance
from tests.emulator.payroll.conftest import (
    employ,
)

PAYROLL: Final = (WAGES, EMPLOYER_CONTRIBUTIONS, INCOME_TAX_WITHHELD, SOCIAL_CONTRIBUTIONS, NET_PAY)


def payslips(house: Instance, run: PayrollRun) -> tuple[RunPayslip, ...]:
    """All payslips of a run."""
    return house.runs.payslips(ACME, run.id, 200, None).items


def entries(house: Instance, account: str = NET_PAY) -> tuple[RecordedEntry, ...]:
    """The entries that move an account."""
    return house.books.entries(ACME, account, 100, None).items


def year_of(house: Instance, employee: str) -> YearToDate | None:
    """An employee's sums of the tax year."""
    ref = year_ref(ACME, employee, "2026-27")
    document = house.store.get([ref])[ref]
    return read_year(document.fields) if document else None


def told(house: Instance) -> list[str]:
    """The announcements of runs, each once."""
    return sorted(one.type for one in house.post.told.values() if one.topic == "payroll")


def staff(house: Instance, count: int) -> list[str]:
    """Employees of all sorts."""
    plans = (frozenset[Plan](), frozenset({Plan.PLAN_2}), frozenset({Plan.PLAN_1, Plan.POSTGRADUATE}))
    codes = [TaxCode.parse(code) for code in ("1257L", "S1257L", "K475", "BR", "0T M1")]
    with ThreadPoolExecutor(4) as pool:
        return list(
            pool.map(
                lambda n: employ(
                    house, f"E-{n}", 1_200_000 + n * 100_003, tax_code=codes[n % 5], student_loan_plans=plans[n % 3]
                ),
                range(count),
            )
        )


def twice_shuffled(tasks: list[Command]) -> list[Command]:
    """Every task two times, in an order that is the same in every run of the test."""
    double = [*tasks, *tasks]
    Random(7).shuffle(double)  # noqa: S311 - an order, not a secret
    return double
