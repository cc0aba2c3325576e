"""How each partner's own API is spoken: one small file a partner that builds requests and reads answers."""

from collections.abc import Mapping
from typing import Final

from shared.payments.partners.apis.adyen import AdyenApi
from shared.payments.partners.apis.airwallex import AirwallexApi
from shared.payments.partners.apis.gocardless import GoCardlessApi
from shared.payments.partners.apis.speaking import Dialect
from shared.payments.partners.apis.square import SquareApi
from shared.payments.partners.apis.stripe import StripeApi
from shared.payments.partners.apis.wise import WiseApi
from shared.payments.refusals import NotAskable

DIALECTS: Final[Mapping[str, Dialect]] = {
    "adyen": AdyenApi(),
    "airwallex": AirwallexApi(),
    "gocardless": GoCardlessApi(),
    "square": SquareApi(),
    "stripe": StripeApi(),
    "wise": WiseApi(),
}
"""By the partner's name in our paths; who sends `standard` webhooks has no API that we know."""


def dialect_of(partner: str) -> Dialect:
    """How a partner's API is spoken.

    Raises:
        NotAskable: we know of none.
    """
    try:
        return DIALECTS[partner]
    except KeyError:
        message = "this partner has no API that we can ask"
        raise NotAskable(message, field="partner") from None
