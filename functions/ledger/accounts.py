"""The chart of accounts: open, list, and every control operation on an account."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.ledger.chart import template
from shared.ledger.model import Account
from shared.ledger.rules.balances import BalanceOn
from shared.ledger.rules.control import Control, Operation
from shared.ledger.rules.statements import Statement
from shared.ledger.use_cases.accounts import TemplateApplied
from shared.ledger.wire.accounts import (
    AccountAnswer,
    AccountQuery,
    ControlAnswer,
    ControlOrder,
    CurrenciesOrder,
    FloorOrder,
    NewAccount,
    ReshardOrder,
    TemplateAnswer,
    TemplateOrder,
)
from shared.ledger.wire.entries import AccountPath
from shared.ledger.wire.statements import BalanceOnAnswer, BalanceQuery, StatementAnswer, StatementQuery
from shared.listing import Listing
from shared.wire import PageAnswer
from shared.wiring import house

api = Api("accounts", house)


@api.route("GET", "/v1/ledger/accounts", answers=PageAnswer[AccountAnswer])
def list_accounts(call: Call, query: AccountQuery) -> Listing[Account]:
    """Accounts by code: the whole chart, or one account and those below it."""
    return house().chart.page(call.tenant, query.prefix, query.limit, query.cursor)


@api.route("POST", "/v1/ledger/accounts", status=201, answers=AccountAnswer)
def open_account(call: Call, body: NewAccount) -> Done[Account]:
    """Open an account; one with a floor is never overdrawn."""
    return house().chart.open_account(call, body.account())


@api.route("POST", "/v1/ledger/accounts/apply_template", answers=TemplateAnswer)
def apply_template(call: Call, body: TemplateOrder) -> Done[TemplateApplied]:
    """Open those accounts of a template, or of the standard chart, that are missing; applying it twice is harmless."""
    return house().chart.apply_template(call, body.wanted() or template())


@api.route("GET", "/v1/ledger/accounts/{code}", answers=AccountAnswer)
def read_account(call: Call, path: AccountPath) -> Account:
    """One account."""
    return house().chart.account(call.tenant, path.code)


@api.route("POST", "/v1/ledger/accounts/{code}/freeze", answers=ControlAnswer)
def freeze(call: Call, path: AccountPath, body: ControlOrder) -> Done[Operation]:
    """Stop all postings to an account; answered when none can land any more."""
    return house().controls.run(call.because(body.reason), Control.FREEZE, path.code)


@api.route("POST", "/v1/ledger/accounts/{code}/unfreeze", answers=ControlAnswer)
def unfreeze(call: Call, path: AccountPath, body: ControlOrder) -> Done[Operation]:
    """Let an account take postings again."""
    return house().controls.run(call.because(body.reason), Control.UNFREEZE, path.code)


@api.route("POST", "/v1/ledger/accounts/{code}/close", answers=ControlAnswer)
def close_account(call: Call, path: AccountPath, body: ControlOrder) -> Done[Operation]:
    """Close an account for good, if its balance is zero in every currency and no hold on it is open."""
    return house().controls.run(call.because(body.reason), Control.CLOSE_ACCOUNT, path.code)


@api.route("POST", "/v1/ledger/accounts/{code}/reshard", answers=ControlAnswer)
def reshard(call: Call, path: AccountPath, body: ReshardOrder) -> Done[Operation]:
    """Spread an account's postings over more or fewer documents, while it takes them."""
    return house().controls.run(call.because(body.reason), Control.RESHARD, path.code, body.terms())


@api.route("POST", "/v1/ledger/accounts/{code}/currencies", answers=ControlAnswer)
def set_currencies(call: Call, path: AccountPath, body: CurrenciesOrder) -> Done[Operation]:
    """Say which currencies an account keeps; answered when no other can land any more."""
    return house().controls.run(call.because(body.reason), Control.SET_CURRENCIES, path.code, body.terms())


@api.route("POST", "/v1/ledger/accounts/{code}/floor", answers=ControlAnswer)
def set_floor(call: Call, path: AccountPath, body: FloorOrder) -> Done[Operation]:
    """Add a floor, change its limit, or remove it; answered when it holds."""
    return house().controls.set_floor(call.because(body.reason), path.code, body.wanted())


@api.route("GET", "/v1/ledger/accounts/{code}/balance", answers=BalanceOnAnswer)
def balance(call: Call, path: AccountPath, query: BalanceQuery) -> BalanceOn:
    """What stands on an account at the end of a day, by its entries' effective or posting day."""
    return house().balances.on(call.tenant, path.code, query.on or call.at.date(), query.by)


@api.route("GET", "/v1/ledger/accounts/{code}/statement", answers=StatementAnswer)
def statement(call: Call, path: AccountPath, query: StatementQuery) -> Statement:
    """An account's lines in order with the balance after each; every page shows the instant of the first."""
    return house().statements.page(call, query.question(call, path.code), query.limit, query.cursor)


@functions_framework.http
def accounts(request: Request) -> Response:
    """The door."""
    return api.serve(request)
