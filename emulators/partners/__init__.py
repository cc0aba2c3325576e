"""Partners as they speak to the local doors: events in their own words, truly signed; one small file a partner."""

from typing import Final

from emulators.partners.adyen import Adyen
from emulators.partners.airwallex import Airwallex
from emulators.partners.gocardless import GoCardless
from emulators.partners.square import Square
from emulators.partners.standard import Standard
from emulators.partners.stripe import Stripe
from emulators.partners.telling import Partner
from emulators.partners.wise import Wise

PARTNERS: Final[dict[str, Partner]] = {
    "adyen": Adyen(),
    "airwallex": Airwallex(),
    "gocardless": GoCardless(),
    "square": Square(),
    "standard": Standard(),
    "stripe": Stripe(),
    "wise": Wise(),
}
