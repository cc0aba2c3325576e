"""Payroll on the wire."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field

from shared.faults import Invalid
from shared.payroll.countries.gb.tables import NicCategory, Plan
from shared.payroll.countries.gb.tax_code import TaxCode
from shared.payroll.frequency import Frequency
from shared.payroll.model import LARGEST_YEAR, PayPeriod, PayTerms, PostingComponent, YearToDate
from shared.payroll.records import SEALED_FIELDS
from shared.payroll.runs import ChunkRefusal, Employee, PayrollRun, RunPayslip, period_of
from shared.payroll.use_cases.employees import NewEmployee
from shared.privacy import Purpose
from shared.wire import AmountMinor, Identifier, IsoDate, MoneyWire, PageQuery, ShortText, Wire, by_rule
from shared.wire import Period as Month


def _tax_year(name: str) -> str:
    """A year and the next: figures under a year that never comes would be ignored in silence.

    Raises:
        Invalid: it is not.
    """
    first, second = int(name[:4]), int(name[5:])
    if (first + 1) % 100 != second:
        message = "a tax year is named like 2026-27"
        raise Invalid(message, field="tax_year")
    return name


TaxYearName = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}$", examples=["2026-27"]), by_rule(_tax_year)]


class YearToDateWire(Wire):
    """Pay and tax of this tax year before the first run here: from a P45, or from the payroll that went before."""

    tax_year: TaxYearName
    taxable_pay: Annotated[AmountMinor, Field(ge=0, le=LARGEST_YEAR)]
    tax: Annotated[AmountMinor, Field(ge=0, le=LARGEST_YEAR)]


class NewEmployeeBody(Wire):
    """An employee to take on; name, bank account and tax id are sealed before anything is stored."""

    reference: Identifier
    name: ShortText
    bank_account: Annotated[str, Field(pattern=r"^[A-Z0-9 -]{6,42}$", examples=["GB33 BUKB 2020 1555 5555 55"])]
    tax_id: Annotated[str, Field(pattern=r"^[A-Z0-9 ]{6,20}$", examples=["QQ 12 34 56 C"])]
    tax_code: Annotated[str, Field(max_length=12), by_rule(TaxCode.parse)]
    ni_category: NicCategory
    annual_salary: MoneyWire
    student_loan_plans: tuple[Plan, ...] = ()
    year_to_date: YearToDateWire | None = None

    def new_employee(self) -> NewEmployee:
        """The employee asked for.

        Raises:
            Invalid: terms that no payslip could follow from.
        """
        terms = PayTerms(
            self.annual_salary.money(),
            TaxCode.parse(str(self.tax_code)),
            self.ni_category,
            frozenset(self.student_loan_plans),
        )
        personal: dict[str, str] = {name: getattr(self, name) for name in SEALED_FIELDS}
        year = self.year_to_date
        opening = (
            YearToDate.opening(
                year.tax_year,
                MoneyWire(amount=year.taxable_pay, currency="GBP").money(),
                MoneyWire(amount=year.tax, currency="GBP").money(),
            )
            if year
            else None
        )
        return NewEmployee(Employee("", self.reference, terms), personal, opening)


class EmployeeAnswer(Wire):
    """An employee without personal fields: those need a disclosure."""

    id: str
    reference: str
    tax_code: str
    ni_category: NicCategory
    annual_salary: MoneyWire
    student_loan_plans: tuple[Plan, ...]

    @classmethod
    def of(cls, employee: Employee) -> Self:
        """The employee on the wire."""
        terms = employee.terms
        return cls(
            id=employee.id,
            reference=employee.reference,
            tax_code=str(terms.tax_code),
            ni_category=terms.nic_category,
            annual_salary=MoneyWire.of(terms.annual_salary),
            student_loan_plans=tuple(sorted(terms.student_loan_plans, key=lambda plan: plan.value)),
        )


class IdPath(Wire):
    """The object in the path."""

    id: Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]


class EmployeeDisclosure(Wire):
    """Which personal fields are asked for, and what for; both are recorded."""

    fields: Annotated[tuple[Literal["name", "bank_account", "tax_id"], ...], Field(min_length=1, max_length=3)]
    purpose: Purpose


class NewRun(Wire):
    """A monthly payroll run; the pay date lies in the period."""

    period: Month
    pay_date: IsoDate

    def pay(self) -> tuple[str, PayPeriod]:
        """The period and pay day asked for.

        Raises:
            Invalid: the pay date lies outside the period.
        """
        return period_of(self.period, self.pay_date), PayPeriod(self.pay_date, Frequency.MONTHLY)


class RefusalRow(Wire):
    """An employee whose payslip was refused, or (without an employee) a chunk that the ledger refused."""

    chunk: int
    employee_id: str | None
    code: str
    field: str | None

    @classmethod
    def of(cls, refusal: ChunkRefusal) -> Self:
        """The refusal on the wire."""
        return cls(
            chunk=refusal.chunk,
            employee_id=refusal.employee_id or None,
            code=refusal.code,
            field=refusal.field or None,
        )


class RunAnswer(Wire):
    """A payroll run; `totals` are there once every chunk is calculated, `refusals` are the first of the `refused`."""

    id: str
    period: str
    pay_date: date
    state: str
    employees: int
    chunks: int
    prepared_by: str
    approved_by: str | None
    refused: int
    refusals: tuple[RefusalRow, ...]
    totals: dict[PostingComponent, MoneyWire] | None

    @classmethod
    def of(cls, run: PayrollRun) -> Self:
        """The run on the wire."""
        totals = {component: MoneyWire.of(money) for component, money in run.totals.items()} if run.totals else None
        return cls(
            id=run.id,
            period=run.period,
            pay_date=run.pay.pay_date,
            state=run.state.value,
            employees=run.employees,
            chunks=run.chunks,
            prepared_by=run.prepared_by,
            approved_by=run.approved_by or None,
            refused=run.refused,
            refusals=tuple(RefusalRow.of(refusal) for refusal in run.refusals),
            totals=totals,
        )


class PayslipAnswer(Wire):
    """A payslip; income tax may be negative, a refund."""

    id: str
    run_id: str
    employee_id: str
    pay_date: date
    tax_year: str
    tax_period: int
    gross: MoneyWire
    income_tax: MoneyWire
    employee_nic: MoneyWire
    employer_nic: MoneyWire
    student_loan: MoneyWire
    postgraduate_loan: MoneyWire
    net: MoneyWire

    @classmethod
    def of(cls, slip: RunPayslip) -> Self:
        """The payslip on the wire."""
        payslip = slip.payslip
        return cls(
            id=slip.id,
            run_id=slip.run_id,
            employee_id=slip.employee_id,
            pay_date=payslip.pay_date,
            tax_year=payslip.tax_year,
            tax_period=payslip.tax_period,
            gross=MoneyWire.of(payslip.gross),
            income_tax=MoneyWire.of(payslip.income_tax),
            employee_nic=MoneyWire.of(payslip.employee_nic),
            employer_nic=MoneyWire.of(payslip.employer_nic),
            student_loan=MoneyWire.of(payslip.student_loan),
            postgraduate_loan=MoneyWire.of(payslip.postgraduate_loan),
            net=MoneyWire.of(payslip.net),
        )


class ListQuery(PageQuery):
    """Which page."""


class ChunkTask(Wire):
    """A chunk of a run."""

    run_id: Annotated[str, Field(pattern=r"^[a-z2-7]{52}$")]
    chunk: Annotated[int, Field(ge=0)]
