"""Why a customer is not added or found."""

from shared.faults import Conflict, Invalid, NotFound


class ReferenceTaken(Conflict):
    """Another customer of the tenant has the reference."""

    code = "reference_taken"


class UnknownCustomer(NotFound):
    """The tenant has no such customer."""

    code = "unknown_customer"


class NotStated(Invalid):
    """The customer never gave this field, so there is nothing to open."""

    code = "not_stated"
