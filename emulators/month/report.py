"""The report as one JSON value: business figures, which no kill may change, and how it ran, which may differ."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from emulators.month.checks import Check
from emulators.month.clearing import told_payouts
from emulators.month.costs import BusinessCost, Calls
from emulators.month.drive import Ids
from emulators.month.expectations import events
from emulators.month.gather import Evidence, Facts
from emulators.month.reconcile import rows_of_partners, rows_of_payouts


@dataclass(frozen=True, slots=True)
class Running:
    """How a run went; no two runs are alike in it."""

    seconds: Mapping[str, float]
    counts: Mapping[str, int]
    """Attempts that were not answered, or answered `later`, of requests and of webhook deliveries."""
    dispatched: Mapping[str, Any]
    calls: Calls
    costs: Sequence[BusinessCost]


@dataclass(frozen=True, slots=True)
class MonthReport:
    """All that a run came to."""

    scale: Decimal
    business: Mapping[str, Any]
    checks: Sequence[Check]
    running: Running
    evidence: Evidence

    @property
    def sound(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """The report, JSON types only; amounts are minor units."""
        return {
            "schema": 1,
            "scale": str(self.scale),
            "sound": self.sound,
            "business": self.business,
            "checks": [{"law": each.law, "holds": each.holds, "faults": each.faults} for each in self.checks],
            "running": {
                "seconds": {phase: round(seconds, 2) for phase, seconds in self.running.seconds.items()},
                "attempts_again": dict(self.running.counts),
                "duplicates_suppressed": duplicates(self.running.calls),
                "dispatched": self.running.dispatched,
                "doors": {route: doors_row(sums) for route, sums in sorted(self.running.calls.items())},
                "business_operations": [_business_row(each) for each in self.running.costs],
            },
        }


def business_figures(evidence: Evidence) -> dict[str, Any]:
    """What the month came to, in the files' references and without ids, numbers or instants."""
    inputs, ids, facts = evidence.inputs, evidence.ids, evidence.facts
    run = facts.payroll_run or {}
    last = max(facts.proofs, key=lambda proof: str(proof["proven_at"]), default={})
    return {
        "month": inputs.accounting.month,
        "invoices_by_state": _states(facts.invoices, ("net", "tax", "gross", "open")),
        "invoices": _by_reference(ids, facts),
        "receivables_by_age": facts.receivables,
        "payments_by_state": _states(facts.payments, ("received", "refunded")),
        "events_by_state": dict(sorted(Counter(each["state"] for each in facts.events).items())),
        "events_told_of": len(list(events(inputs))) + len(list(told_payouts(inputs))),
        "partners": rows_of_partners(evidence),
        "payouts": rows_of_payouts(evidence),
        "payroll": {
            "state": run.get("state"),
            "employees": run.get("employees"),
            "chunks": run.get("chunks"),
            "totals": {name: money["amount"] for name, money in (run.get("totals") or {}).items()},
        },
        "trial_balance": facts.trial_balance,
        "income_statement": facts.income_statement,
        "balance_sheet": facts.balance_sheet,
        "entries": len(facts.entries),
        "proofs": {"held": sum(bool(each["holds"]) for each in facts.proofs), "entries_in_last": last.get("entries")},
    }


def duplicates(calls: Calls) -> dict[str, int]:
    """By route, the calls that were answered as before instead of being done again."""
    return {route: sums["replayed"] for route, sums in sorted(calls.items()) if sums["replayed"]}


def doors_row(sums: Counter[str]) -> dict[str, Any]:
    """A door's route: calls, and means a call."""
    count = sums["calls"]
    means = {
        name: str((Decimal(amount) / count).quantize(Decimal("0.01")))
        for name, amount in sums.items()
        if name not in {"calls", "replayed", "refused", "retryable", "microseconds"}
    }
    milliseconds = str((Decimal(sums["microseconds"]) / 1000 / count).quantize(Decimal("0.1")))
    counted = {name: sums[name] for name in ("calls", "replayed", "refused", "retryable")}
    return counted | {"milliseconds": milliseconds, "operations": means}


def _states(rows: Sequence[Mapping[str, Any]], amounts: Sequence[str]) -> dict[str, Any]:
    """Counts and sums by state and currency."""
    sums: dict[str, Counter[str]] = {}
    for row in rows:
        currency = row[amounts[0]]["currency"]
        group = sums.setdefault(f"{row['state']} {currency}", Counter())
        group["count"] += 1
        for name in amounts:
            group[name] += (row[name] or {"amount": 0})["amount"]
    return {name: dict(sums[name]) for name in sorted(sums)}


def _by_reference(ids: Ids, facts: Facts) -> dict[str, Any]:
    by_id = {row["id"]: row for row in facts.invoices}
    names = ("net", "tax", "gross", "paid", "credited", "refunded", "open")
    return {
        reference: {"state": row["state"], **{name: (row[name] or {}).get("amount") for name in names}}
        for reference, invoice_id in sorted(ids.invoices.items())
        if (row := by_id.get(invoice_id))
    }


def _business_row(cost: BusinessCost) -> dict[str, Any]:
    means = {name: str(mean) for name, mean in cost.means.items()}
    return {"name": cost.name, "count": cost.count, "micro_dollars": str(cost.micro_dollars), "means": means}
