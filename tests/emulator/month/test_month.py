import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulators.catalogue import REPOSITORY
from emulators.month.checks import checked
from emulators.month.gather import Facts
from emulators.month.present import markdown
from emulators.month.report import MonthReport
from emulators.state import Home
from tests.emulator.month.conftest import SCALE, Looking

pytestmark = pytest.mark.emulator

Run = tuple[MonthReport, Looking]


def test_a_month_is_sound(undisturbed: Run) -> None:
    """Books balance, proofs hold, and every figure is what the files make it."""
    report, _ = undisturbed
    assert [check for check in report.checks if not check.holds] == []


def test_every_event_told_twice_is_taken_in_once(undisturbed: Run) -> None:
    """The second telling of each event is a replay."""
    report, _ = undisturbed
    suppressed = report.as_json()["running"]["duplicates_suppressed"]
    assert suppressed["POST /v1/webhooks/{tenant}/{partner}"] == report.business["events_told_of"]


def test_the_report_ties_every_payout_to_what_it_settles(undisturbed: Run) -> None:
    """For each of five partners what is held is what came, less what was kept, given back, taken and paid out."""
    report, _ = undisturbed
    rows, payouts = report.business["partners"], report.business["payouts"]
    assert {row["partner"] for row in rows} == {"stripe", "adyen", "airwallex", "square", "standard"}
    for row in rows:
        went = sum(row[name] for name in ("fees", "refunds", "disputes", "payouts"))
        assert row["payments"] - went == row["clearing"] == row["reserve"] + row["unsettled"]
    for payout in payouts:
        assert payout["paid_out"] == payout["settled"] - payout["fees"] - payout["reserve"]
    settled = [each for payout in payouts for each in payout["settles"]]
    assert len(settled) == len(set(settled)) > len(payouts)


def test_the_report_reads_as_text(undisturbed: Run) -> None:
    """Tables for people, without a name of anybody."""
    report, looking = undisturbed
    text = markdown(report)
    assert "## Trial balance" in text
    assert "## Payouts: what each settles, less fees and reserve" in text
    assert looking.inputs
    assert not any(employee.name in text for employee in looking.inputs.employees)


def one_penny_more(rows: Any, name: str) -> Any:
    """The rows with a penny more in the first one's amount."""
    first = {**rows[0], name: {**rows[0][name], "amount": rows[0][name]["amount"] + 1}}
    return [first, *rows[1:]]


def off_by_a_penny(report: Any) -> Any:
    """A report with a difference."""
    return {**report, "difference": {"GBP": 1}}


def one_fee_less(entries: Any) -> Any:
    """The entries without the last one that a partner's fee was posted by."""
    fees = [each for each in entries if any(line["account"] == "expenses:payment_fees" for line in each["lines"])]
    return [each for each in entries if each is not fees[-1]]


def of_another_amount(events: Any) -> Any:
    """The events with a penny more paid out by the last payout."""
    last = [each for each in events if each["kind"] == "payout_paid"][-1]
    return [one_penny_more([each], "money")[0] if each is last else each for each in events]


TAMPERED = {
    "trial balance": lambda facts: replace(facts, trial_balance=off_by_a_penny(facts.trial_balance)),
    "balance sheet": lambda facts: replace(facts, balance_sheet=off_by_a_penny(facts.balance_sheet)),
    "every nightly proof": lambda facts: replace(facts, proofs=[{**facts.proofs[0], "holds": False}]),
    "every invoice": lambda facts: replace(facts, invoices=one_penny_more(facts.invoices, "paid")),
    "invoice numbers": lambda facts: replace(facts, invoices=facts.invoices[1:]),
    "every event": lambda facts: replace(facts, events=[*facts.events, facts.events[0]]),
    "every payment": lambda facts: replace(facts, payments=one_penny_more(facts.payments, "received")),
    "payments less fees": lambda facts: replace(facts, entries=one_fee_less(facts.entries)),
    "every payout is": lambda facts: replace(facts, events=of_another_amount(facts.events)),
    "one entry": lambda facts: replace(facts, entries=[*facts.entries, facts.entries[0]]),
    "payroll control totals": lambda facts: replace(facts, payslips=one_penny_more(facts.payslips, "net")),
    "every account": lambda facts: replace(facts, trial_balance={**facts.trial_balance, "rows": []}),
    "every applied payment": lambda facts: replace(facts, receipts=facts.receipts - 1),
    "nothing is left in the outbox": lambda facts: replace(facts, outbox_rows=1),
    "no task": lambda facts: replace(facts, gave_up=1),
}


@pytest.mark.parametrize("law", TAMPERED)
def test_a_check_speaks_up(undisturbed: Run, law: str) -> None:
    """Facts that were tampered with break the law that watches over them."""
    report, _ = undisturbed
    facts: Facts = TAMPERED[law](report.evidence.facts)
    broken = [check.law for check in checked(replace(report.evidence, facts=facts)) if not check.holds]
    assert any(name.startswith(law) for name in broken)


def test_an_interrupted_month_leaves_nothing_running(tmp_path: Path) -> None:
    """Ctrl-C in the middle of the days ends with code 130, takes every process along and keeps the logs."""
    command = [sys.executable, "-u", "-m", "emulators.month", "--home", str(tmp_path / "home"), "--out", str(tmp_path)]
    month = subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--scale", str(SCALE)], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert month.stdout
    assert any(re.match("webhooks", line) for line in month.stdout)
    state = Home(tmp_path / "home").running()
    assert state
    os.kill(month.pid, signal.SIGINT)
    month.communicate(timeout=60)
    assert month.returncode == 130
    assert [name for name, process in state.processes.items() if process.alive()] == []
    assert (tmp_path / "logs" / "doors.log").exists()
