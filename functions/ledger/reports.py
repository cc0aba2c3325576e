"""Reports read at one instant: trial balance, income statement, balance sheet, proofs."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.ledger.rules.proof_records import Proof, Repair
from shared.ledger.rules.reports import BalanceSheet, IncomeStatement, TrialBalance
from shared.ledger.use_cases.proofs import SAMPLES
from shared.ledger.wire.entries import (
    BalanceSheetAnswer,
    IncomeStatementAnswer,
    RangeQuery,
    TrialBalanceAnswer,
)
from shared.ledger.wire.proofs import ProofAnswer, ProofOrder, ProofPath, RepairAnswer, RepairOrder
from shared.ledger.wire.statements import UntilQuery
from shared.listing import Listing
from shared.wire import PageAnswer, PageQuery
from shared.wiring import house

api = Api("reports", house)


@api.route("GET", "/v1/ledger/reports/trial_balance", answers=TrialBalanceAnswer)
def trial_balance(call: Call, query: UntilQuery) -> TrialBalance:
    """Debits and credits of every account through a month or a day."""
    return house().reports.trial_balance(call.tenant, query.month, query.on)


@api.route("GET", "/v1/ledger/reports/income_statement", answers=IncomeStatementAnswer)
def income_statement(call: Call, query: RangeQuery) -> IncomeStatement:
    """Revenue and expenses of a range of months."""
    return house().reports.income_statement(call.tenant, query.first or query.through, query.through)


@api.route("GET", "/v1/ledger/reports/balance_sheet", answers=BalanceSheetAnswer)
def balance_sheet(call: Call, query: UntilQuery) -> BalanceSheet:
    """Assets, liabilities and equity at the end of a month or a day."""
    return house().reports.balance_sheet(call.tenant, query.month, query.on)


@api.route("GET", "/v1/ledger/reports/proofs", answers=PageAnswer[ProofAnswer])
def proofs(call: Call, query: PageQuery) -> Listing[Proof]:
    """Recorded proofs that the totals are the fold of the entries, newest first."""
    return house().proofs.page(call.tenant, query.limit, query.cursor)


@api.route("POST", "/v1/ledger/reports/proofs", status=202, answers=ProofAnswer)
def ask_proof(call: Call, body: ProofOrder) -> Done[Proof]:
    """Ask for a proof of the whole journal; a task makes it, under the id that is answered."""
    return house().proofs.ask(call.because(body.reason))


@api.route("GET", "/v1/ledger/reports/proofs/{id}", answers=ProofAnswer)
def read_proof(call: Call, path: ProofPath) -> Proof:
    """One proof, asked for or made."""
    return house().proofs.proof(call.tenant, path.id)


@api.route("GET", "/v1/ledger/reports/samples", answers=PageAnswer[ProofAnswer])
def samples(call: Call, query: PageQuery) -> Listing[Proof]:
    """Recorded proofs of a few accounts and months each, newest first."""
    return house().proofs.page(call.tenant, query.limit, query.cursor, collection=SAMPLES)


@api.route("POST", "/v1/ledger/reports/repairs", status=201, answers=RepairAnswer)
def repair(call: Call, body: RepairOrder) -> Done[Repair]:
    """Set right the totals of an account's month, or its floor's guard, by a correction on record."""
    return house().repairs.repair(call.because(body.reason), body.account, body.month)


@api.route("GET", "/v1/ledger/reports/repairs", answers=PageAnswer[RepairAnswer])
def repairs(call: Call, query: PageQuery) -> Listing[Repair]:
    """Repairs on record, newest first."""
    return house().repairs.page(call.tenant, query.limit, query.cursor)


@functions_framework.http
def reports(request: Request) -> Response:
    """The door."""
    return api.serve(request)
