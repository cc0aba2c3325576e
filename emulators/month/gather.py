"""What the month came to, asked of the public API; and what only the platform can see: nothing left behind."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulators.addresses import fetch
from emulators.cloud import LocalCloud
from emulators.month.drive import Drive, Ids, Office
from emulators.month.inputs import MonthInputs
from shared.gcp.firestore import FirestoreStore
from shared.identity import tenant_id
from shared.ports import Query

LOOKS: Final = 5
"""Sweeps that may pass until the outbox is empty."""

PUSH_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.1

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Facts:
    """The API's answers, as they came."""

    invoices: Rows
    payments: Rows
    events: Rows
    entries: Rows
    proofs: Rows
    receivables: Mapping[str, Mapping[str, int]]
    trial_balance: Mapping[str, Any]
    income_statement: Mapping[str, Any]
    balance_sheet: Mapping[str, Any]
    payroll_run: Mapping[str, Any] | None
    payslips: Rows
    outbox_rows: int
    receipts: int
    gave_up: int
    """Tasks that the queues gave up."""
    tasks_left: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the files asked for, under which ids, and what came of it."""

    inputs: MonthInputs
    ids: Ids
    facts: Facts


def gather(drive: Drive, office: Office) -> Facts:
    """Ask for everything that a report or a check needs.

    Raises:
        CloudFault: a door refused.
    """
    outbox_rows, receipts = _left_behind(drive)
    read, month = office.accountant, drive.inputs.accounting.month
    run_path = f"/v1/payroll_runs/{drive.ids.payroll_run}"
    idle = drive.passing.idleness()
    return Facts(
        invoices=list(read.pages("/v1/invoices")),
        payments=list(read.pages("/v1/payments")),
        events=list(read.pages("/v1/payments/events")),
        entries=list(read.pages("/v1/ledger/entries")),
        proofs=list(read.pages("/v1/ledger/reports/proofs")),
        receivables=read.get("/v1/invoices/receivables_by_age", on=max(drive.days()).isoformat())["receivables"],
        trial_balance=read.get("/v1/ledger/reports/trial_balance", through=month),
        income_statement=read.get("/v1/ledger/reports/income_statement", through=month),
        balance_sheet=read.get("/v1/ledger/reports/balance_sheet", through=month),
        payroll_run=office.approver.get(run_path) if drive.ids.payroll_run else None,
        payslips=list(office.approver.pages(f"{run_path}/payslips")) if drive.ids.payroll_run else (),
        outbox_rows=outbox_rows,
        receipts=receipts,
        gave_up=idle["tasks"]["exhausted"],
        tasks_left=idle["tasks"]["pending"],
    )


def log_lines(cloud: LocalCloud) -> list[Mapping[str, Any]]:
    """The request lines of the doors' log; what a kill cut short is left out."""
    found: list[Mapping[str, Any]] = []
    for line in cloud.home.log("doors").read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        if isinstance(fields, dict) and fields.get("message") == "request":
            found.append(fields)
    return found


def dispatched(cloud: LocalCloud) -> Mapping[str, Any]:
    """What our services sent, by queue and job."""
    counters: dict[str, Any] = json.loads(fetch(f"{cloud.services_url}/admin/dispatched") or b"{}")
    return counters


def _left_behind(drive: Drive) -> tuple[int, int]:
    """Outbox rows and receipts, after the sweeps had their time: the one look past the API."""
    settings = drive.cloud.settings()
    store = FirestoreStore(settings, settings.database)
    tenant = tenant_id(drive.inputs.tenant.tenant)
    rows = _count(store, Query("outbox", group=True))
    for _ in range(LOOKS):
        if not rows:
            break
        drive.passing.on()
        drive.passing.come_to_rest()
        rows = _count(store, Query("outbox", group=True))
    payments = _count(store, Query("payments", tenant))
    deadline = time.monotonic() + PUSH_SECONDS
    while (receipts := _count(store, Query("receipts", tenant))) < payments and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return rows, receipts


def _count(store: FirestoreStore, query: Query) -> int:
    return store.aggregate(query)["count"]
