"""Whether a VAT id is valid in form, by each country's own check; no register is asked."""

import re
from typing import Final

NORTHERN_IRISH: Final = re.compile(r"\s*[xX][iI]")


def is_northern_irish(country: str, text: str) -> bool:
    """Whether `text` is an `XI` id: it exists for trade in goods under Northern Ireland's protocol."""
    return country == "GB" and NORTHERN_IRISH.match(text) is not None


def is_vat_id(country: str, text: str) -> bool:
    """Whether `text` is a VAT id of a country (ISO code), with or without the id's country prefix."""
    from stdnum.util import get_cc_module  # noqa: PLC0415 - only reverse charge pays for the library

    checker = get_cc_module(country.lower(), "vat")
    return checker is not None and bool(checker.is_valid(text))
