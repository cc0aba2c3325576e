"""What must hold of a month that was run, each check in words with what was found instead."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulators.month.clearing import statement_of, told_payouts
from emulators.month.drive import Ids
from emulators.month.expectations import Rates, balances, events, expected, settled
from emulators.month.gather import Evidence, Facts
from emulators.month.inputs import MonthInputs, Told
from emulators.month.partner import event_id, payout_event_id
from emulators.month.reconcile import partners_differences, payouts_differences
from shared.limits import PAYROLL_CHUNK

PAYROLL_ACCOUNTS: Mapping[str, str] = {
    "gross_pay": "expenses:wages",
    "employer_nic": "expenses:employer_contributions",
    "income_tax": "liabilities:payroll:income_tax",
    "national_insurance": "liabilities:payroll:social_contributions",
    "student_loans": "liabilities:payroll:student_loans",
    "net_pay": "liabilities:payroll:net_pay",
}
"""Where each control total of a payroll run stands in the books."""


@dataclass(frozen=True, slots=True)
class Check:
    """A law and what speaks against it, if anything."""

    law: str
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Nothing speaks against it."""
        return not self.faults


def checked(evidence: Evidence) -> tuple[Check, ...]:
    """Every check; the books are sound when all hold."""
    inputs, ids, facts = evidence.inputs, evidence.ids, evidence.facts
    laws = {
        "trial balance: no difference in any currency": _differences(facts.trial_balance),
        "balance sheet: no difference in any currency": _differences(facts.balance_sheet),
        "every nightly proof holds, and the last covers every entry": _proofs(facts),
        "every invoice stands where the files put it, to the penny": _invoices(inputs, ids, facts),
        "invoice numbers follow one another without a gap": _numbers(facts),
        "every event is there once, and applied": _events(inputs, facts),
        "every payment is what its partner told, once": _payments(inputs, facts),
        "payments less fees, refunds, disputes and payouts are what each partner holds": partners_differences(evidence),
        "every payout is what it settles, less fees and reserve": payouts_differences(evidence),
        "one entry for each fact, none more": _entries(inputs, facts),
        "payroll control totals are the sums of the payslips": _control_totals(inputs, facts),
        "every account's balance is what files and payslips make it": _balances(inputs, facts),
        "every applied payment has its receipt": _same("receipts", len(facts.payments), facts.receipts),
        "nothing is left in the outbox": _same("rows", 0, facts.outbox_rows),
        "no task was given up or is left": _same("tasks", 0, facts.gave_up + facts.tasks_left),
    }
    return tuple(Check(law, tuple(faults)) for law, faults in laws.items())


def _same(what: str, wanted: object, found: object) -> Iterator[str]:
    if wanted != found:
        yield f"{what}: {found} instead of {wanted}"


def _differences(report: Mapping[str, Any]) -> Iterator[str]:
    for currency, difference in report["difference"].items():
        yield from _same(f"{currency} difference", 0, difference)
    if not report["rows"]:
        yield "the report is empty"


def _proofs(facts: Facts) -> Iterator[str]:
    for proof in facts.proofs:
        if not proof["holds"]:
            yield f"the proof of {proof['proven_at']} found {proof['differences']} differences"
    last = max(facts.proofs, key=lambda each: datetime.fromisoformat(each["proven_at"]), default=None)
    if last is None:
        yield "there is no proof"
    else:
        yield from _same("entries in the last proof", len(facts.entries), last["entries"])


def _invoices(inputs: MonthInputs, ids: Ids, facts: Facts) -> Iterator[str]:
    by_id = {each["id"]: each for each in facts.invoices}
    yield from _same("invoices", len(inputs.invoices), len(by_id))
    for reference, invoice in inputs.invoices.items():
        stored = by_id.get(ids.invoices.get(reference, ""))
        if stored is None or stored["number"] is None:
            yield f"{reference} is not issued"
            continue
        due = expected(invoice, inputs.tenant, Rates.read())
        after = settled(inputs, reference, due.gross)
        wanted = (due.net, due.gross, after.state, after.paid, after.credited, after.refunded)
        amounts = [stored[name]["amount"] for name in ("net", "gross", "paid", "credited", "refunded")]
        yield from _same(reference, wanted, (*amounts[:2], stored["state"], *amounts[2:]))


def _numbers(facts: Facts) -> Iterator[str]:
    places = sorted(int(each["number"].rpartition("-")[2]) for each in facts.invoices if each["number"])
    yield from _same("numbers", list(range(1, len(places) + 1)), places)


def _events(inputs: MonthInputs, facts: Facts) -> Iterator[str]:
    wanted = {(inputs.partner_of(each.settlement), event_id(each, inputs)): "applied" for each in events(inputs)}
    wanted |= {(each.row.partner, payout_event_id(each)): "applied" for each in told_payouts(inputs)}
    found = {(each["partner"], each["event_id"]): each["state"] for each in facts.events}
    yield from _same("events", len(wanted), len(facts.events))
    for name in sorted(wanted.keys() | found.keys()):
        yield from _same(" ".join(name), wanted.get(name), found.get(name))


def _payments(inputs: MonthInputs, facts: Facts) -> Iterator[str]:
    told = [each for each in events(inputs) if each.settlement.kind is Told.PAYMENT]
    received = sorted((inputs.partner_of(each.settlement), each.amount) for each in told)
    found = sorted((each["partner"], each["received"]["amount"]) for each in facts.payments)
    yield from _same("amounts received", received, found)
    for payment in facts.payments:
        yield from _same(f"unapplied of {payment['reference']}", 0, payment["unapplied"]["amount"])


def _entries(inputs: MonthInputs, facts: Facts) -> Iterator[str]:
    chunks = -(-len(inputs.employees) // PAYROLL_CHUNK)
    applied = len(inputs.settlements) + len(list(told_payouts(inputs)))
    by_hand = len(inputs.accounting.entries) + sum(statement_of(each) is not None for each in inputs.payouts)
    wanted = len(inputs.invoices) + applied + chunks + by_hand
    yield from _same("entries", wanted, len(facts.entries))
    refused = [each["id"] for each in facts.entries if each["outcome"] != "posted"]
    yield from _same("refused entries", [], refused)


def _control_totals(inputs: MonthInputs, facts: Facts) -> Iterator[str]:
    if facts.payroll_run is None:
        yield from _same("payslips", 0, len(inputs.employees))
        return
    yield from _same("payslips", len(inputs.employees), len(facts.payslips))
    yield from _same("state", "posted", facts.payroll_run["state"])
    totals = {name: money["amount"] for name, money in (facts.payroll_run["totals"] or {}).items()}
    yield from _same("control totals", payslip_sums(facts.payslips), totals)


def payslip_sums(payslips: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Control totals as the payslips alone make them, pence."""
    sums: Counter[str] = Counter()
    for slip in payslips:
        for name, money in slip.items():
            if isinstance(money, Mapping):
                sums[name] += money["amount"]
    return {
        "gross_pay": sums["gross"],
        "employer_nic": sums["employer_nic"],
        "income_tax": sums["income_tax"],
        "national_insurance": sums["employee_nic"] + sums["employer_nic"],
        "student_loans": sums["student_loan"] + sums["postgraduate_loan"],
        "net_pay": sums["net"],
    }


def _balances(inputs: MonthInputs, facts: Facts) -> Iterator[str]:
    wanted = defaultdict(int, balances(inputs))
    for name, amount in payslip_sums(facts.payslips).items():
        is_cost = name in {"gross_pay", "employer_nic"}
        wanted[PAYROLL_ACCOUNTS[name], "GBP"] += amount if is_cost else -amount
    found: dict[tuple[str, str], int] = defaultdict(int)
    for row in facts.trial_balance["rows"]:
        found[row["account"], row["currency"]] += row["debits"] - row["credits"]
    for account, currency in sorted(wanted.keys() | found.keys()):
        yield from _same(f"{account} {currency}", wanted[account, currency], found[account, currency])
