"""The chart of accounts: open, list, freeze, unfreeze."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.ledger.model import Account
from shared.ledger.rules.control import Control, Operation
from shared.ledger.wire import AccountAnswer, AccountPath, ChartAnswer, ControlAnswer, FreezeOrder, NewAccount
from shared.wiring import house

api = Api("accounts", house)


@api.route("GET", "/v1/ledger/accounts", answers=ChartAnswer)
def list_accounts(call: Call) -> tuple[Account, ...]:
    """The whole chart, by code."""
    return house().chart.accounts(call.tenant)


@api.route("POST", "/v1/ledger/accounts", status=201, answers=AccountAnswer)
def open_account(call: Call, body: NewAccount) -> Done[Account]:
    """Open an account; one with a floor is never overdrawn."""
    return house().chart.open_account(call, body.account())


@api.route("POST", "/v1/ledger/accounts/{code}/freeze", answers=ControlAnswer)
def freeze(call: Call, path: AccountPath, body: FreezeOrder) -> Done[Operation]:
    """Stop all postings to an account; answered when none can land any more."""
    return house().controls.run(call.because(body.reason), Control.FREEZE, path.code)


@api.route("POST", "/v1/ledger/accounts/{code}/unfreeze", answers=ControlAnswer)
def unfreeze(call: Call, path: AccountPath, body: FreezeOrder) -> Done[Operation]:
    """Let an account take postings again."""
    return house().controls.run(call.because(body.reason), Control.UNFREEZE, path.code)


@functions_framework.http
def accounts(request: Request) -> Response:
    """The door."""
    return api.serve(request)
