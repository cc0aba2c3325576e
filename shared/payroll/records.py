"""Employees, runs, payslips and years to date as documents."""

from collections.abc import Mapping
from datetime import date
from typing import Final, cast

from shared.identity import TenantId, stored_id
from shared.money import Money
from shared.payroll.countries.gb.tables import NicCategory, Plan
from shared.payroll.countries.gb.tax_code import TaxCode
from shared.payroll.frequency import Frequency
from shared.payroll.model import PayPeriod, Payslip, PayTerms, PostingComponent, YearToDate
from shared.payroll.runs import ChunkRefusal, ChunkResult, Employee, PayrollRun, RunPayslip, RunState
from shared.ports import Document, Fields, Ref, Value, tenant_ref
from shared.privacy import Sealed

EMPLOYEES: Final = "employees"
SEALED_FIELDS: Final = ("name", "bank_account", "tax_id")
"""What of an employee is personal and only ever stored sealed."""

_PAYSLIP_AMOUNTS: Final = (
    "gross",
    "taxable_pay",
    "income_tax",
    "employee_nic",
    "employer_nic",
    "student_loan",
    "postgraduate_loan",
    "net",
)


def employee_ref(tenant: TenantId, employee_id: str) -> Ref:
    """An employee."""
    return tenant_ref(tenant, EMPLOYEES, employee_id)


def reference_ref(tenant: TenantId, reference: str) -> Ref:
    """What makes an employee's reference unique."""
    return tenant_ref(tenant, "employee_references", stored_id("employee_reference", reference))


def year_ref(tenant: TenantId, employee_id: str, tax_year: str) -> Ref:
    """An employee's year to date."""
    return tenant_ref(tenant, "years_to_date", f"{employee_id}~{tax_year}")


def run_ref(tenant: TenantId, run_id: str) -> Ref:
    """A payroll run."""
    return tenant_ref(tenant, "payroll_runs", run_id)


def period_ref(tenant: TenantId, period: str) -> Ref:
    """What gives a period to one run."""
    return tenant_ref(tenant, "payroll_periods", period)


def chunk_ref(tenant: TenantId, run_id: str, chunk: int) -> Ref:
    """Whom a chunk pays."""
    return tenant_ref(tenant, "payroll_chunks", f"{run_id}~{chunk}")


def result_ref(tenant: TenantId, run_id: str, chunk: int) -> Ref:
    """What a chunk's calculation came to."""
    return tenant_ref(tenant, "payroll_results", f"{run_id}~{chunk}")


def posting_ref(tenant: TenantId, run_id: str, chunk: int) -> Ref:
    """What a chunk's posting came to."""
    return tenant_ref(tenant, "payroll_postings", f"{run_id}~{chunk}")


def stage_ref(tenant: TenantId, run_id: str, stage: RunState) -> Ref:
    """What lets a stage of a run begin once."""
    return tenant_ref(tenant, "payroll_stages", f"{run_id}~{stage.value}")


def payslip_ref(tenant: TenantId, run_id: str, employee_id: str) -> Ref:
    """A payslip: one a run and employee."""
    return tenant_ref(tenant, "payslips", stored_id("payslip", run_id, employee_id, "1"))


def write_employee(employee: Employee, sealed: Mapping[str, Sealed[str]]) -> dict[str, Value]:
    """An employee's fields, personal ones sealed."""
    terms = employee.terms
    return {
        "schema": 1,
        "reference": employee.reference,
        "annual_salary": terms.annual_salary.amount,
        "currency": terms.annual_salary.currency,
        "tax_code": str(terms.tax_code),
        "ni_category": terms.nic_category.value,
        "student_loan_plans": sorted(plan.value for plan in terms.student_loan_plans),
        **{name: sealed[name].stored for name in SEALED_FIELDS},
    }


def read_employee(document: Document) -> Employee:
    """The employee that a document keeps, without the personal fields."""
    fields = document.fields
    terms = PayTerms(
        Money(cast("int", fields["annual_salary"]), cast("str", fields["currency"])),
        TaxCode.parse(cast("str", fields["tax_code"])),
        NicCategory(fields["ni_category"]),
        frozenset(Plan(plan) for plan in cast("list[str]", fields["student_loan_plans"])),
    )
    return Employee(document.ref.key, cast("str", fields["reference"]), terms)


def read_sealed(document: Document) -> dict[str, Sealed[str]]:
    """The personal fields of an employee, still sealed."""
    return {name: Sealed(cast("bytes", document[name])) for name in SEALED_FIELDS}


def write_year(year: YearToDate) -> dict[str, Value]:
    """A year to date's fields, minor units."""
    amounts = {name: cast("Money", getattr(year, name)).amount for name in _PAYSLIP_AMOUNTS}
    return {"schema": 1, "tax_year": year.tax_year, "currency": year.gross.currency, **amounts}


def read_year(fields: Fields) -> YearToDate:
    """The year to date that fields keep."""
    currency = cast("str", fields["currency"])
    amounts = [Money(cast("int", fields[name]), currency) for name in _PAYSLIP_AMOUNTS]
    return YearToDate(cast("str", fields["tax_year"]), *amounts)


def write_run(run: PayrollRun) -> dict[str, Value]:
    """A run's fields."""
    return {
        "schema": 1,
        "period": run.period,
        "pay_date": run.pay.pay_date.isoformat(),
        "frequency": run.pay.frequency.value,
        "prepared_by": run.prepared_by,
        "approved_by": run.approved_by,
        "employees": run.employees,
        "chunks": run.chunks,
        "state": run.state.value,
        "totals": _write_totals(run.totals) if run.totals else None,
        "refused": run.refused,
        "refusals": [{"chunk": refusal.chunk, **_write_refusal(refusal)} for refusal in run.refusals],
        "version": run.version,
    }


def read_run(document: Document) -> PayrollRun:
    """The run that a document keeps."""
    fields = document.fields
    totals = cast("Fields | None", fields["totals"])
    return PayrollRun(
        id=document.ref.key,
        period=cast("str", fields["period"]),
        pay=PayPeriod(date.fromisoformat(cast("str", fields["pay_date"])), Frequency(fields["frequency"])),
        prepared_by=cast("str", fields["prepared_by"]),
        approved_by=cast("str", fields["approved_by"]),
        employees=cast("int", fields["employees"]),
        chunks=cast("int", fields["chunks"]),
        state=RunState(fields["state"]),
        totals=_read_totals(totals) if totals else None,
        refused=cast("int", fields["refused"]),
        refusals=tuple(
            _read_refusal(cast("int", row["chunk"]), row) for row in cast("list[Fields]", fields["refusals"])
        ),
        version=cast("int", fields["version"]),
    )


def write_result(result: ChunkResult) -> dict[str, Value]:
    """A chunk result's fields."""
    return {
        "schema": 1,
        "run_id": result.run_id,
        "chunk": result.chunk,
        "payslips": result.payslips,
        "totals": _write_totals(result.totals),
        "refusals": [_write_refusal(refusal) for refusal in result.refusals],
    }


def read_result(document: Document) -> ChunkResult:
    """The chunk result that a document keeps."""
    fields = document.fields
    chunk = cast("int", fields["chunk"])
    return ChunkResult(
        cast("str", fields["run_id"]),
        chunk,
        cast("int", fields["payslips"]),
        _read_totals(cast("Fields", fields["totals"])),
        tuple(_read_refusal(chunk, row) for row in cast("list[Fields]", fields["refusals"])),
    )


def write_payslip(slip: RunPayslip) -> dict[str, Value]:
    """A payslip's fields, minor units."""
    payslip = slip.payslip
    amounts = {name: cast("Money", getattr(payslip, name)).amount for name in _PAYSLIP_AMOUNTS}
    return {
        "schema": 1,
        "run_id": slip.run_id,
        "employee_id": slip.employee_id,
        "pay_date": payslip.pay_date.isoformat(),
        "tax_year": payslip.tax_year,
        "tax_period": payslip.tax_period,
        "currency": payslip.gross.currency,
        **amounts,
        "before": write_year(slip.before),
    }


def read_payslip(document: Document) -> RunPayslip:
    """The payslip that a document keeps."""
    fields = document.fields
    currency = cast("str", fields["currency"])
    amounts = [Money(cast("int", fields[name]), currency) for name in _PAYSLIP_AMOUNTS]
    payslip = Payslip(
        date.fromisoformat(cast("str", fields["pay_date"])),
        cast("str", fields["tax_year"]),
        cast("int", fields["tax_period"]),
        *amounts,
    )
    return RunPayslip(
        document.ref.key,
        cast("str", fields["run_id"]),
        cast("str", fields["employee_id"]),
        payslip,
        read_year(cast("Fields", fields["before"])),
    )


def _write_refusal(refusal: ChunkRefusal) -> dict[str, Value]:
    return {"employee_id": refusal.employee_id, "code": refusal.code, "field": refusal.field}


def _read_refusal(chunk: int, row: Fields) -> ChunkRefusal:
    return ChunkRefusal(chunk, cast("str", row["employee_id"]), cast("str", row["code"]), cast("str", row["field"]))


def _write_totals(totals: Mapping[PostingComponent, Money]) -> dict[str, Value]:
    sums: dict[str, Value] = {component.value: money.amount for component, money in totals.items()}
    return sums | {"currency": totals[PostingComponent.GROSS_PAY].currency}


def _read_totals(fields: Fields) -> dict[PostingComponent, Money]:
    currency = cast("str", fields["currency"])
    return {component: Money(cast("int", fields[component.value]), currency) for component in PostingComponent}
