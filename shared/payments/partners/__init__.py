"""One small adapter a partner: prove the raw bytes, then say in our words what they tell."""

from shared.payments.partners.adapter import Adapter
from shared.payments.partners.stripe import Stripe
from shared.payments.refusals import UnknownPartner

PARTNERS: dict[str, Adapter] = {"stripe": Stripe()}


def partner_named(name: str) -> Adapter:
    """The adapter of a partner.

    Raises:
        UnknownPartner: there is none.
    """
    try:
        return PARTNERS[name]
    except KeyError:
        message = "no such partner"
        raise UnknownPartner(message, field="partner") from None
