"""One small adapter a partner: verify the raw bytes, then say in our words what they tell."""

from shared.payments.model import Partner
from shared.payments.partners.stripe import Stripe
from shared.payments.refusals import UnknownPartner

PARTNERS: dict[str, Partner] = {"stripe": Stripe()}


def partner_named(name: str) -> Partner:
    """The adapter of a partner.

    Raises:
        UnknownPartner: there is none.
    """
    try:
        return PARTNERS[name]
    except KeyError:
        message = "no such partner"
        raise UnknownPartner(message, field="partner") from None
