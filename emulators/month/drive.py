"""A month of business as its people live it: day by day, through the public doors and the partners' webhooks alone."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from emulators.cloud import LocalCloud
from emulators.month.clearing import Statement, statement_of, told_payouts
from emulators.month.client import Client, Line, Tally
from emulators.month.crew import HANDS, together
from emulators.month.expectations import events
from emulators.month.inputs import Customer, Employee, Invoice, ManualEntry, MonthInputs, Payout, minor
from emulators.month.partner import TELLINGS, Invoices, Partners, Watching, payouts_told, shuffled, told
from emulators.month.passing import Passing
from emulators.month.stage import Stage
from emulators.partners import PARTNERS
from emulators.processes import CloudFault

ISSUING_HOUR: Final = 9
TELLING_HOUR: Final = 10
PAYROLL_HOUR: Final = 11
NIGHT_HOUR: Final = 6
"""After the nightly proof."""

ROUNDS: Final = 30
"""How often a payroll run may be found standing still, with a sweep after each."""


@dataclass(slots=True)
class Office:
    """Who works here: each client holds a key of its own, and each acts as another principal."""

    accountant: Client
    preparer: Client
    approver: Client
    partners: Partners


@dataclass(slots=True)
class Ids:
    """Our ids by the files' references."""

    customers: dict[str, str] = field(default_factory=dict)
    invoices: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    """The numbers that invoices were issued under."""
    payroll_run: str = ""


class Drive:
    """Drives one month through a local cloud that is up and empty."""

    def __init__(self, cloud: LocalCloud, inputs: MonthInputs, stage: Stage, watching: Watching) -> None:
        """`watching` hears of every webhook delivery."""
        self.cloud, self.inputs, self.ids, self.tally = cloud, inputs, Ids(), Tally()
        self.passing = Passing(cloud)
        self._stage, self._watching = stage, watching
        self._line = Line(cloud.doors_url, self.tally, HANDS)
        self._events, self._payouts = list(events(inputs)), list(told_payouts(inputs))
        self._delivered = 0

    def run(self) -> Office:
        """Live the month; what it came to is then asked by `gather`.

        Raises:
            CloudFault: a door refused, or work does not end.
        """
        self._stage.bars(
            {
                "customers": len(self.inputs.customers),
                "employees": len(self.inputs.employees),
                "invoices": len(self.inputs.invoices),
                "webhooks": (len(self._events) + len(self._payouts)) * TELLINGS,
                "days": len(list(self.days())),
            }
        )
        with self._stage.timed("tenant and keys"):
            office = self._open()
        with self._stage.timed("customers and employees"):
            self._take_in(office)
        for day in self.days():
            self._live(office, day)
            self._stage.advance("days")
        with self._stage.timed("month end"):
            self._close(office)
        return office

    def close(self) -> None:
        """Give the connections back: a host that is asked to end waits for open ones."""
        self._line.close()

    def days(self) -> Iterator[date]:
        """Every day of the month."""
        year, month = map(int, self.inputs.accounting.month.split("-"))
        return (date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1))

    # --- before the first day

    def _open(self) -> Office:
        tenant, people = self.inputs.tenant, self.inputs.accounting.principals
        platform = Client(self._line, self.cloud.platform_key)
        body = tenant.model_dump(mode="json") | {"owner": people.owner}
        owner = Client(self._line, platform.post("/v1/tenants", body, f"tenant-{tenant.tenant}")["owner_key"])

        def hired(principal: str, role: str) -> Client:
            granted = owner.post("/v1/api_keys", {"principal": principal, "role": role}, f"key-{role}")
            return Client(self._line, granted["key"])

        secrets = {partner: self.cloud.signing_secret(tenant.tenant, partner) for partner in PARTNERS}
        return Office(
            hired(people.accountant, "accountant"),
            hired(people.payroll_preparer, "payroll_preparer"),
            hired(people.payroll_approver, "payroll_approver"),
            Partners(self._line, self.cloud.clock, tenant.tenant, secrets, self._watching),
        )

    def _take_in(self, office: Office) -> None:
        def add(customer: Customer) -> tuple[str, str]:
            body = customer.model_dump(mode="json", exclude_none=True)
            return customer.reference, office.accountant.post("/v1/customers", body, customer.reference)["id"]

        def take_on(employee: Employee) -> None:
            office.preparer.post("/v1/employees", _employee(employee), employee.reference)

        customers = together(add, self.inputs.customers, lambda: self._stage.advance("customers"))
        self.ids.customers.update(customers)
        together(take_on, self.inputs.employees, lambda: self._stage.advance("employees"))

    # --- a day

    def _live(self, office: Office, day: date) -> None:
        self.passing.to(day, ISSUING_HOUR)
        with self._stage.timed("invoices"):
            self._issue(office, [each for each in self.inputs.invoices.values() if each.row.day == day])
        for entry in self.inputs.accounting.entries:
            if entry.day == day:
                office.accountant.post("/v1/ledger/entries", _entry(entry), entry.reference)
        self.passing.to(day, TELLING_HOUR)
        with self._stage.timed("webhooks"):
            self._hear(office, day)
        self._read_statements(office, day)
        if day == self.inputs.accounting.payroll.pay_date and self.inputs.employees:
            self.passing.to(day, PAYROLL_HOUR)
            with self._stage.timed("payroll"):
                self._pay(office)
        with self._stage.timed("background work"):
            self.passing.settle()

    def _issue(self, office: Office, invoices: list[Invoice]) -> None:
        def issue(invoice: Invoice) -> tuple[str, str, str]:
            reference = invoice.row.reference
            draft = _draft(invoice, self.ids.customers[invoice.row.customer])
            invoice_id = office.accountant.post("/v1/invoices", draft, reference)["id"]
            issued = office.accountant.post(f"/v1/invoices/{invoice_id}/issue", {}, reference)
            return reference, invoice_id, issued["number"]

        for reference, invoice_id, number in together(issue, invoices, lambda: self._stage.advance("invoices")):
            self.ids.invoices[reference], self.ids.numbers[reference] = invoice_id, number

    def _hear(self, office: Office, day: date) -> None:
        today = [each for each in self._events if each.settlement.delivered_on == day]
        invoices = Invoices(self.ids.invoices, self.ids.numbers)
        paid_out = payouts_told([each for each in self._payouts if each.row.day == day])
        deliveries = shuffled([*told(today, self.inputs, invoices), *paid_out], day.isoformat())
        numbered = list(enumerate(deliveries, self._delivered + 1))
        self._delivered += len(deliveries)
        together(lambda one: office.partners.deliver(*one), numbered, lambda: self._stage.advance("webhooks"))

    def _read_statements(self, office: Office, day: date) -> None:
        """The accountant posts what a payout's statement says and no event of its partner tells."""
        for payout in self.inputs.payouts:
            if payout.row.day == day and (statement := statement_of(payout)):
                body = _settlement_entry(payout, statement)
                office.accountant.post("/v1/ledger/entries", body, body["reference"])

    def _pay(self, office: Office) -> None:
        accounting = self.inputs.accounting
        body = {"period": accounting.month, "pay_date": accounting.payroll.pay_date.isoformat()}
        run = office.preparer.post("/v1/payroll_runs", body, f"payroll-{accounting.month}")
        self.ids.payroll_run = run["id"]
        self._until_run(office, "awaiting_approval", {"calculating"})
        office.approver.post(f"/v1/payroll_runs/{run['id']}/approve", {}, f"payroll-{accounting.month}")
        self._until_run(office, "posted", {"posting"})

    def _until_run(self, office: Office, wanted: str, meanwhile: set[str]) -> None:
        for _ in range(ROUNDS):
            self.passing.settle()
            run: dict[str, Any] = office.preparer.get(f"/v1/payroll_runs/{self.ids.payroll_run}")
            if run["state"] == wanted:
                return
            if run["state"] not in meanwhile:
                break
            self.passing.on()
        message = f"the payroll run is {run['state']}, not {wanted}; refused: {run['refused']}"
        raise CloudFault(message)

    # --- after the last day

    def _close(self, office: Office) -> None:
        month, kind = self.inputs.accounting.month, self.inputs.accounting.close
        first = max(self.days()) + timedelta(days=1)
        self.passing.to(first, ISSUING_HOUR)
        self.passing.come_to_rest()
        office.accountant.post(f"/v1/ledger/periods/{month}/close", {"kind": kind}, f"close-{month}")
        self.passing.to(first + timedelta(days=1), NIGHT_HOUR)
        self.passing.come_to_rest()


# --- the files' rows as the API takes them -------------------------------------------------


def _employee(employee: Employee) -> dict[str, Any]:
    row = employee.model_dump(mode="json")
    plain = ("reference", "name", "bank_account", "tax_id", "tax_code", "ni_category", "student_loan_plans")
    return {name: row[name] for name in plain} | {
        "annual_salary": _money(minor(employee.annual_salary, "GBP"), "GBP"),
        "year_to_date": {
            "tax_year": employee.tax_year,
            "taxable_pay": minor(employee.taxable_pay_to_date, "GBP"),
            "tax": minor(employee.tax_to_date, "GBP"),
        },
    }


def _draft(invoice: Invoice, customer_id: str) -> dict[str, Any]:
    currency = invoice.customer.currency
    lines = [
        {
            "description": line.description,
            "quantity": f"{line.quantity:f}",
            "unit_price": minor(line.unit_price, currency),
            "category": line.category,
        }
        for line in invoice.lines
    ]
    about = {"customer_id": customer_id, "currency": currency, "supply": invoice.row.supply}
    return about | {"lines": lines, "due_days": invoice.row.due_days}


def _entry(entry: ManualEntry) -> dict[str, Any]:
    lines = [
        {"account": line.account, "side": line.side, "amount": _money(minor(line.amount, line.currency), line.currency)}
        for line in entry.lines
    ]
    return {"lines": lines, "effective_on": entry.day.isoformat(), "reference": entry.reference}


def _settlement_entry(payout: Payout, statement: Statement) -> dict[str, Any]:
    row = payout.row
    debits = {"assets:bank": statement.paid_out, "expenses:payment_fees": statement.fees}
    sides = [(account, "debit", amount) for account, amount in debits.items() if amount]
    sides.append((f"assets:clearing:{row.partner}", "credit", sum(debits.values())))
    lines = [
        {"account": account, "side": side, "amount": _money(amount, row.currency)} for account, side, amount in sides
    ]
    return {"lines": lines, "effective_on": row.day.isoformat(), "reference": statement_reference(payout)}


def statement_reference(payout: Payout) -> str:
    """How the accountant names the entry of a payout's statement."""
    return f"SETTLEMENT-{payout.row.reference}"


def _money(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": amount, "currency": currency}
