"""Reports read at one instant: trial balance, income statement, balance sheet, proofs."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call
from shared.http.api import Api
from shared.ledger.rules.reports import BalanceSheet, IncomeStatement, TrialBalance
from shared.ledger.use_cases.proofs import Proof
from shared.ledger.wire import (
    BalanceSheetAnswer,
    IncomeStatementAnswer,
    ProofAnswer,
    RangeQuery,
    ThroughQuery,
    TrialBalanceAnswer,
)
from shared.listing import Listing
from shared.wire import PageAnswer, PageQuery
from shared.wiring import house

api = Api("reports", house)


@api.route("GET", "/v1/ledger/reports/trial_balance", answers=TrialBalanceAnswer)
def trial_balance(call: Call, query: ThroughQuery) -> TrialBalance:
    """Debits and credits of every account through a month."""
    return house().reports.trial_balance(call.tenant, query.through)


@api.route("GET", "/v1/ledger/reports/income_statement", answers=IncomeStatementAnswer)
def income_statement(call: Call, query: RangeQuery) -> IncomeStatement:
    """Revenue and expenses of a range of months."""
    return house().reports.income_statement(call.tenant, query.first or query.through, query.through)


@api.route("GET", "/v1/ledger/reports/balance_sheet", answers=BalanceSheetAnswer)
def balance_sheet(call: Call, query: ThroughQuery) -> BalanceSheet:
    """Assets, liabilities and equity at the end of a month."""
    return house().reports.balance_sheet(call.tenant, query.through)


@api.route("GET", "/v1/ledger/reports/proofs", answers=PageAnswer[ProofAnswer])
def proofs(call: Call, query: PageQuery) -> Listing[Proof]:
    """Recorded proofs that the totals are the fold of the entries, newest first."""
    return house().proofs.page(call.tenant, query.limit, query.cursor)


@functions_framework.http
def reports(request: Request) -> Response:
    """The door."""
    return api.serve(request)
