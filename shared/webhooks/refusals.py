"""Why an endpoint is not made or changed, and a delivery not found or sent again."""

from shared.faults import Conflict, Invalid, NotFound, TooLarge


class UnknownEndpoint(NotFound):
    """The tenant has no such webhook endpoint."""

    code = "unknown_webhook_endpoint"


class UnknownDelivery(NotFound):
    """The endpoint has no such delivery."""

    code = "unknown_webhook_delivery"


class UnknownResend(NotFound):
    """The endpoint has no such resend of a range."""

    code = "unknown_webhook_resend"


class UrlNotAllowed(Invalid):
    """The address is none that a webhook is sent to."""

    code = "url_not_allowed"


class NotAFilter(Invalid):
    """The text is neither an event type nor a group of them."""

    code = "not_an_event_filter"


class TooManyEndpoints(Conflict):
    """As many endpoints are enabled as one message can be told to."""

    code = "too_many_webhook_endpoints"


class TooManySecrets(Conflict):
    """Secrets were rotated so often that the old ones, which are still live, fill the signature."""

    code = "too_many_webhook_secrets"


class EndpointDisabled(Conflict):
    """A disabled endpoint is sent nothing."""

    code = "webhook_endpoint_disabled"


class PayloadTooLarge(Conflict):
    """The message was too large to be told; there is nothing to send again."""

    code = "webhook_payload_too_large"


class TooManyAttempts(Conflict):
    """The delivery was tried as often as one is."""

    code = "too_many_webhook_attempts"


class DeliveryTooOld(Conflict):
    """The delivery was made so long ago that what it sends may be gone before a round is over."""

    code = "webhook_delivery_too_old"


class EmptyRange(Invalid):
    """The range ends before it begins, or goes beyond now."""

    code = "empty_range"


class RangeTooLarge(TooLarge):
    """More deliveries are in the range than are sent again at once."""

    code = "range_too_large"
