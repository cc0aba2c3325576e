"""The report for people: tables on a terminal, and the same tables as markdown."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from emulators.month.report import MonthReport, duplicates
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its title, its headings, its rows; every column but the first is figures, or else named in `words`."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Collection[str] = ()

    def is_figures(self, place: int) -> bool:
        """Whether a column is set to the right."""
        return place > 0 and self.headings[place] not in self.words


def sheets(report: MonthReport) -> Iterator[Sheet]:
    """Every table of a report, in reading order."""
    business = report.business
    yield _by_state("Invoices", business["invoices_by_state"], ("net", "tax", "gross", "open"))
    yield _ages(business["receivables_by_age"])
    yield _by_state("Payments", business["payments_by_state"], ("received", "refunded"))
    yield _counts("Partner events", business["events_by_state"])
    yield _partners(business["partners"])
    yield _payouts(business["payouts"])
    yield _payroll(business["payroll"])
    yield _trial_balance(business["trial_balance"])
    yield _statement("Income statement", business["income_statement"], {"net income": "net_income"})
    sums = {"income not closed yet": "unclosed_income", "difference": "difference"}
    yield _statement("Balance sheet", business["balance_sheet"], sums)
    yield _counts("Duplicates suppressed", duplicates(report.running.calls))
    yield _costs(report)
    yield Sheet("Time", ("phase", "seconds"), [(name, f"{each:.1f}") for name, each in report.running.seconds.items()])
    yield Sheet("Checks", ("law", "holds"), [(each.law, "yes" if each.holds else "NO") for each in report.checks])


def show(report: MonthReport, console: Console) -> None:
    """Print every table, and what is wrong last."""
    for sheet in sheets(report):
        table = Table(title=sheet.title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
        for place, heading in enumerate(sheet.headings):
            table.add_column(heading, justify="right" if sheet.is_figures(place) else "left", overflow="fold")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)
    for line in faults(report):
        console.print(line, style="red", markup=False)


def markdown(report: MonthReport) -> str:
    """The report as markdown."""
    parts = [f"# The month {report.business['month']} at scale {report.scale}\n"]
    for sheet in sheets(report):
        rules = ("--:" if sheet.is_figures(place) else "---" for place in range(len(sheet.headings)))
        heads = [f"| {' | '.join(sheet.headings)} |", f"|{'|'.join(rules)}|"]
        parts += [f"## {sheet.title}\n", *heads, *(f"| {' | '.join(row)} |" for row in sheet.rows), ""]
    parts += [f"- {line}" for line in faults(report)]
    return "\n".join(parts) + "\n"


def faults(report: MonthReport) -> Iterator[str]:
    """What speaks against each check that does not hold."""
    for check in report.checks:
        for fault in check.faults:
            yield f"{check.law}: {fault}"


# --- the tables ----------------------------------------------------------------------------


def _by_state(title: str, states: Mapping[str, Mapping[str, int]], amounts: Sequence[str]) -> Sheet:
    rows = []
    for name, sums in states.items():
        state, currency = name.rsplit(" ", 1)
        rows.append((state, str(sums["count"]), *(_money(sums[each], currency) for each in amounts)))
    return Sheet(title, ("state", "count", *amounts), rows)


def _ages(receivables: Mapping[str, Mapping[str, int]]) -> Sheet:
    ages = list(dict.fromkeys(age for buckets in receivables.values() for age in buckets))
    rows = [
        (currency, *(_money(buckets.get(age, 0), currency) for age in ages))
        for currency, buckets in sorted(receivables.items())
    ]
    return Sheet("Receivables by age", ("currency", *(age.replace("_", " ") for age in ages)), rows)


def _counts(title: str, counts: Mapping[str, int]) -> Sheet:
    return Sheet(title, ("what", "count"), [(name, str(count)) for name, count in counts.items()])


def _partners(rows: Sequence[Mapping[str, Any]]) -> Sheet:
    """What each partner took, kept, gave back and paid out; the last columns are what it holds at the month's end."""
    names = ("payments", "fees", "refunds", "disputes", "payouts", "clearing", "reserve", "unsettled")
    titles = (*names[:5], "= held, in the books", "of it reserve", "not settled yet")
    return Sheet(
        "Partners: payments - fees - refunds - disputes - payouts = held",
        ("partner", *titles),
        [(f"{row['partner']} {row['currency']}", *(_figure(row, name) for name in names)) for row in rows],
    )


def _payouts(rows: Sequence[Mapping[str, Any]]) -> Sheet:
    names = ("settled", "fees", "reserve", "paid_out")
    return Sheet(
        "Payouts: what each settles, less fees and reserve",
        ("payout", "partner", "day", *(name.replace("_", " ") for name in names), "settles"),
        [
            (
                row["payout"],
                f"{row['partner']} {row['currency']}",
                row["day"],
                *(_figure(row, name) for name in names),
                " ".join(row["settles"]),
            )
            for row in rows
        ],
        words=("partner", "day", "settles"),
    )


def _figure(row: Mapping[str, Any], name: str) -> str:
    """A row's figure without its currency, which the row names."""
    return "none" if row[name] is None else _money(row[name], row["currency"]).removesuffix(f" {row['currency']}")


def _payroll(payroll: Mapping[str, Any]) -> Sheet:
    rows = [(name.replace("_", " "), _money(amount, "GBP")) for name, amount in payroll["totals"].items()]
    title = f"Payroll control totals: {payroll['employees']} employees, {payroll['state']}"
    return Sheet(title, ("component", "amount"), rows)


def _trial_balance(report: Mapping[str, Any]) -> Sheet:
    rows = [
        (row["account"], *(_money(row[side], row["currency"]) for side in ("debits", "credits", "balance")))
        for row in report["rows"]
    ]
    rows += [("difference", "", "", _money(amount, currency)) for currency, amount in report["difference"].items()]
    return Sheet("Trial balance", ("account", "debits", "credits", "balance"), rows)


def _statement(title: str, report: Mapping[str, Any], sums: Mapping[str, str]) -> Sheet:
    rows = [(row["account"], row["type"], _money(row["balance"], row["currency"])) for row in report["rows"]]
    for words, name in sums.items():
        rows += [(words, "", _money(amount, currency)) for currency, amount in report[name].items()]
    return Sheet(title, ("account", "type", "balance"), rows)


def _costs(report: MonthReport) -> Sheet:
    names = ("calls", "reads", "writes", "deletes", "rpcs", "tasks", "publishes", "kms")
    rows = [
        (cost.name, str(cost.count), *(_plain(cost.means[name]) for name in names), _plain(cost.micro_dollars))
        for cost in report.running.costs
    ]
    title = "Store operations a business operation, and list price in dollars a million"
    return Sheet(title, ("operation", "count", *names, "$ a million"), rows)


def _plain(figure: Decimal) -> str:
    return f"{figure.quantize(Decimal('0.1')):,f}"


def _money(amount: int, currency: str) -> str:
    major, _, name = str(Money(amount, currency)).partition(" ")
    return f"{Decimal(major):,f} {name}"
