"""Why tax says no: the facts given do not decide it, or no dated source backs a figure (`NotSupported`)."""

from shared.faults import Refused


class TaxNotDetermined(Refused):
    """The facts given do not decide whose tax it is; `field` names the one that is missing or wrong."""

    code = "tax_not_determined"
