"""What the month cost in operations, from the doors' own log lines, and at list prices."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from emulators.month.gather import Facts
from emulators.month.inputs import MonthInputs

PRICES: Final = Path(__file__).with_name("prices.json")
OPERATIONS: Final = ("reads", "writes", "deletes", "rpcs", "tasks", "publishes", "kms")

Calls = Mapping[str, Counter[str]]
"""Sums of calls, replays, milliseconds and operations, by route."""

BUSINESS: Final[Mapping[str, Sequence[str]]] = {
    "customer added": ("POST /v1/customers",),
    "employee taken on": ("POST /v1/employees",),
    "invoice drafted and issued": ("POST /v1/invoices", "POST /v1/invoices/{id}/issue"),
    "payment event, told twice, applied": (
        "POST /v1/webhooks/{tenant}/{partner}",
        "POST /apply_payment_event",
        "POST /issue_receipt",
    ),
    "payslip calculated and posted": (
        "POST /v1/payroll_runs",
        "POST /v1/payroll_runs/{id}/approve",
        "POST /calculate_payslips",
        "POST /post_payslips",
    ),
    "nightly proof": ("POST /start_ledger_proofs", "POST /prove_ledger"),
}
"""The routes whose calls make a business operation happen."""


@dataclass(frozen=True, slots=True)
class BusinessCost:
    """A business operation: how many there were, the means of its operations, and micro-dollars at list price."""

    name: str
    count: int
    means: Mapping[str, Decimal]
    micro_dollars: Decimal


def by_route(lines: Iterable[Mapping[str, Any]]) -> Calls:
    """Sums of the request lines by method and route."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        route = sums[f"{line['method']} {line['route']}"]
        route["calls"] += 1
        route["replayed"] += bool(line.get("replayed"))
        route["refused"] += bool(line.get("refused"))
        route["retryable"] += "retry" in line
        route["microseconds"] += round(line["duration_ms"] * 1000)
        for name in OPERATIONS:
            route[name] += line["ops"][name]
    return sums


def business_costs(calls: Calls, inputs: MonthInputs, facts: Facts) -> list[BusinessCost]:
    """Means and prices of each business operation; the sweeps, which serve all, are left out."""
    counts = {
        "customer added": len(inputs.customers),
        "employee taken on": len(inputs.employees),
        "invoice drafted and issued": len(inputs.invoices),
        "payment event, told twice, applied": len(facts.events),
        "payslip calculated and posted": len(facts.payslips),
        "nightly proof": len(facts.proofs),
    }
    prices = read_prices()
    return [_cost(name, counts[name], calls, prices) for name in BUSINESS if counts[name]]


def read_prices() -> Mapping[str, Decimal]:
    """Dollars a million, by operation; prices.json names source and date."""
    table = json.loads(PRICES.read_text(encoding="utf-8"))["dollars_per_million"]
    return {name: Decimal(price) for name, price in table.items()}


def _cost(name: str, count: int, calls: Calls, prices: Mapping[str, Decimal]) -> BusinessCost:
    sums: Counter[str] = Counter()
    for route in BUSINESS[name]:
        sums.update(calls.get(route, Counter()))
    means = {each: (Decimal(sums[each]) / count).quantize(Decimal("0.01")) for each in ("calls", *OPERATIONS)}
    dollars = sum((Decimal(sums[each]) * price for each, price in prices.items()), Decimal(0))
    return BusinessCost(name, count, means, (dollars / count).quantize(Decimal("0.01")))
