"""What VAT would a supply bear: one question, one answer, nothing kept."""

import functions_framework
from werkzeug.wrappers import Request, Response

from shared.calls import Call
from shared.http.api import Api
from shared.tax.model import TaxCalculation
from shared.tax.wire import NewTaxCalculation, TaxCalculationAnswer
from shared.wiring import house

api = Api("calculate_tax", house)


@api.route("POST", "/v1/tax/calculations", answers=TaxCalculationAnswer, writes=False)
def calculate(call: Call, body: NewTaxCalculation) -> TaxCalculation:  # noqa: ARG001 - every route is told its call
    """Say which VAT a supply bears, at which dated rates."""
    return house().taxes.calculate(body.question())


@functions_framework.http
def calculate_tax(request: Request) -> Response:
    """Serve `/v1/tax`."""
    return api.serve(request)
