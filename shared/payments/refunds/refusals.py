"""Why a refund is not asked for, not approved, or not taken on."""

from shared.faults import Conflict, Forbidden, NotFound


class UnknownRefund(NotFound):
    """No such refund."""

    code = "unknown_refund"


class WrongRefundState(Conflict):
    """The refund's state does not allow what is asked."""

    code = "refund_state"


class RefundExceedsPayment(Conflict):
    """More is asked for than is left of the payment, what is under way counted."""

    code = "refund_exceeds_payment"


class ApproverRequested(Forbidden):
    """Whoever asked for a refund does not approve it, whatever key they hold."""

    code = "approver_is_requester"


class RefundInFlight(Conflict):
    """An event waited in vain for the partner's answer to a refund that we asked for."""

    code = "refund_in_flight"


class RefundDiffers(Conflict):
    """The partner tells another amount of a refund than we asked for."""

    code = "refund_differs"


class RefundAnswerUnknown(Conflict):
    """The partner may have made a refund, and no longer knows our key: asking again could make it twice."""

    code = "refund_answer_unknown"


class RefundAnswered(Conflict):
    """The partner has answered, or may yet: there is nothing for people to resolve."""

    code = "refund_answered"


class RefundKnownBefore(Conflict):
    """The partner names a refund as ours that it told before as another's."""

    code = "refund_known_before"
