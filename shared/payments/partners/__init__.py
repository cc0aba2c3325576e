"""One small adapter a partner: prove the raw bytes, then say in our words what they tell."""

from shared.payments.partners.adapter import Adapter
from shared.payments.partners.adyen import Adyen
from shared.payments.partners.airwallex import Airwallex
from shared.payments.partners.gocardless import GoCardless
from shared.payments.partners.square import Square
from shared.payments.partners.standard import Standard
from shared.payments.partners.stripe import Stripe
from shared.payments.partners.wise import Wise
from shared.payments.refusals import UnknownPartner

PARTNERS: dict[str, Adapter] = {
    "adyen": Adyen(),
    "airwallex": Airwallex(),
    "gocardless": GoCardless(),
    "square": Square(),
    "standard": Standard(),
    "stripe": Stripe(),
    "wise": Wise(),
}


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
