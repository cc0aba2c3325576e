"""Why payments say no."""

from shared.faults import Conflict, Invalid, Malformed, NotFound, NotSupported, TooLarge, Unauthenticated


class UnknownPartner(NotFound):
    """No adapter, or no secret, for this partner and tenant."""

    code = "unknown_partner"


class BadSignature(Unauthenticated):
    """The signature is missing, malformed, forged, or made with no live secret."""

    code = "bad_signature"


class OutsideReplayWindow(Unauthenticated):
    """The signature's timestamp is too old, or in the future."""

    code = "outside_replay_window"


class NotAnEvent(Malformed):
    """Signed bytes that the partner's format does not explain; they are kept in quarantine."""

    code = "not_an_event"


class EventTooLarge(TooLarge):
    """An event of a delivery is longer than the inbox keeps; the others of it are taken in."""

    code = "event_too_large"


class UnknownEvent(NotFound):
    """No such event in the inbox."""

    code = "unknown_event"


class EventDecided(Conflict):
    """The event is applied, or was found to be no news: there is nothing to replay."""

    code = "event_decided"


class NothingToApply(Conflict):
    """The event is understood, and nothing for the books."""

    code = "nothing_to_apply"


class UnknownPayment(NotFound):
    """No such payment."""

    code = "unknown_payment"


class PaymentNeverCame(NotFound):
    """An event waited for its payment until its time was over."""

    code = "payment_never_came"


class RefundTooLarge(Malformed):
    """A partner tells of more refunded than was received."""

    code = "refund_exceeds_payment"


class ObjectNeverCame(NotFound):
    """An event that ends a refund, dispute or payout waited for its beginning until its time was over."""

    code = "object_never_came"


class NotAskable(NotFound):
    """The partner's own API cannot be asked this, or not for this tenant."""

    code = "partner_not_askable"


class PartnerRefused(Conflict):
    """The partner's own API says no; `detail` has its code."""

    code = "partner_refused"


class PartnerNeverAnswered(NotFound):
    """The partner's own API was asked about an event until its time was over."""

    code = "partner_never_answered"


class UnknownPayout(NotFound):
    """No such payout."""

    code = "unknown_payout"


class UnknownPage(NotFound):
    """No such page of a payout's lines."""

    code = "unknown_page"


class StatementClosed(Conflict):
    """All lines of the payout were taken in before."""

    code = "payout_statement_closed"


class PageOutOfOrder(Conflict):
    """Another page of the payout's lines comes next; `detail` has its number."""

    code = "page_out_of_order"


class WrongPayoutCurrency(Malformed):
    """A line of a payout is in another currency than the payout."""

    code = "payout_currency_differs"


class TruthDisagrees(Conflict):
    """The partner's own API says something else than its event."""

    code = "truth_disagrees"


class AllocationExceedsCash(Conflict):
    """More would be allocated than is unapplied of the payment, or held of it as its customer's credit."""

    code = "allocation_exceeds_cash"


class AllocationExceedsOpen(Conflict):
    """More would be allocated to an invoice than is open on it."""

    code = "allocation_exceeds_open"


class AllocationTooSmall(Invalid):
    """Converted, an amount comes to less than one minor unit of the payment's currency."""

    code = "allocation_too_small"


class TooManyAllocations(Conflict):
    """The payment would be allocated in more parts than one commit can give back."""

    code = "too_many_allocations"


class CustomerDiffers(Conflict):
    """The invoices are not all of one customer, or not of the one whose payment it is."""

    code = "customer_mismatch"


class WriteOffExceedsLimit(Conflict):
    """More would be written off than the tenant allows for an invoice in its currency."""

    code = "write_off_exceeds_limit"


class NoExchangeRate(NotSupported):
    """Nobody published the rate that is needed, on the day or shortly before it."""

    code = "no_exchange_rate"


class UnknownVirtualAccount(NotFound):
    """No such virtual account."""

    code = "unknown_virtual_account"


class VirtualAccountTaken(Conflict):
    """The virtual account is another customer's."""

    code = "virtual_account_taken"


class UnknownAllocation(NotFound):
    """The payment has no such allocation."""

    code = "unknown_allocation"


class AllocationUndone(Conflict):
    """The allocation was undone before, or all of it went back to the payer."""

    code = "allocation_undone"
