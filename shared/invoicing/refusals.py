"""Why invoicing says no."""

from shared.faults import Conflict, Invalid, NotFound


class WrongState(Conflict):
    """The invoice's state does not allow what is asked."""

    code = "invoice_state"


class CurrencyDiffers(Invalid):
    """Money in another currency than the invoice's."""

    code = "currency_mismatch"


class NothingToPay(Invalid):
    """An invoice asks for a positive amount."""

    code = "nothing_to_pay"


class RefundExceedsReceipts(Conflict):
    """More would be given back than was received and not given back yet."""

    code = "refund_exceeds_receipts"


class UnknownInvoice(NotFound):
    """No such draft or invoice."""

    code = "unknown_invoice"


class UnknownCustomer(Invalid):
    """No such customer."""

    code = "unknown_customer"
