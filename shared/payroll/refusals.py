"""Why payroll says no, from the terms to the payslip."""

from shared.faults import Conflict, Forbidden, Invalid, NotFound, NotSupported


class InvalidTaxCode(Invalid):
    """The text is no tax code; the message never repeats it."""

    code = "invalid_tax_code"

    def __init__(self) -> None:
        message = "a tax code is like 1257L, S1257L, K475, 0T, BR, D0 or NT, with W1, M1 or X when not cumulative"
        super().__init__(message, field="tax_code")


class WrongTaxYear(Invalid):
    """Figures of one tax year were offered to another."""

    code = "wrong_tax_year"

    def __init__(self, expected: str, given: str) -> None:
        message = f"the year to date is of {given}, the pay date lies in {expected}"
        super().__init__(message, field="year_to_date.tax_year", detail={"expected": expected, "given": given})


class PayslipDoesNotAddUp(Invalid):
    """A payslip's parts contradict one another."""

    code = "payslip_does_not_add_up"


class TaxYearNotSupported(NotSupported):
    """No sourced table covers the pay date."""

    code = "tax_year_not_supported"

    def __init__(self, tax_year: str) -> None:
        message = f"no sourced tables for the tax year {tax_year}"
        super().__init__(message, field="pay_date", detail={"tax_year": tax_year})


class NicCategoryNotSupported(NotSupported):
    """The year's table has no rates for this category letter."""

    code = "ni_category_not_supported"

    def __init__(self, category: str, tax_year: str) -> None:
        message = f"no sourced National Insurance rates for category {category} in {tax_year}"
        super().__init__(message, field="ni_category", detail={"category": category, "tax_year": tax_year})


class StudentLoanPlanNotSupported(NotSupported):
    """The year's table has no threshold for this plan."""

    code = "student_loan_plan_not_supported"

    def __init__(self, plan: str, tax_year: str) -> None:
        message = f"no sourced threshold for {plan} in {tax_year}"
        super().__init__(message, field="student_loan_plans", detail={"plan": plan, "tax_year": tax_year})


class DirectorsNotSupported(NotSupported):
    """Directors' National Insurance runs over an annual earnings period, which is not calculated here."""

    code = "directors_not_supported"

    def __init__(self) -> None:
        super().__init__("National Insurance of directors is not supported", field="director")


class UnknownEmployee(NotFound):
    """No such employee."""

    code = "unknown_employee"


class ReferenceTaken(Conflict):
    """Another employee has this reference."""

    code = "reference_taken"


class UnknownRun(NotFound):
    """No such payroll run."""

    code = "unknown_payroll_run"


class PeriodAlreadyRun(Conflict):
    """The period has its payroll run already."""

    code = "period_already_run"


class NobodyToPay(Invalid):
    """There is no employee to run a payroll for."""

    code = "nobody_to_pay"


class WrongRunState(Conflict):
    """The run is not in a state from which this can be done."""

    code = "wrong_state"


class ApproverPrepared(Forbidden):
    """Whoever prepared a run does not approve it, whatever key they hold."""

    code = "approver_is_preparer"


class YearToDateMoved(Conflict):
    """An employee's year to date is not the one that the payslip was calculated from."""

    code = "year_to_date_moved"

    def __init__(self, employee_id: str) -> None:
        message = "the year to date moved since the payslip was calculated"
        super().__init__(message, detail={"employee_id": employee_id})
        self.employee_id = employee_id
