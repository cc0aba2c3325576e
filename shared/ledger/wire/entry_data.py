"""What an entry carries beside its lines, on the wire."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field

from shared.ledger.exchange import ExchangeRate
from shared.ledger.model import Reverses
from shared.limits import ENTRY_METADATA, ENTRY_RATES
from shared.wire import Currency, DecimalText, Wire

MetadataKey = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,39}$")]
MetadataValue = Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._:/#-]{0,64}$")]

Metadata = Annotated[
    dict[MetadataKey, MetadataValue],
    Field(max_length=ENTRY_METADATA, examples=[{"cost_centre": "CC-12"}]),
]
"""Short codes by key, kept in clear: nothing about a person."""


class RateWire(Wire):
    """One unit of `from` is `rate` units of `to`, in major units."""

    model_config = ConfigDict(serialize_by_alias=True)  # `from` is a word of Python's own

    from_: Annotated[Currency, Field(alias="from")]
    to: Currency
    rate: Annotated[DecimalText, Field(examples=["1.0842"])]
    source: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ._:/#-]{0,64}$", examples=["ECB"])] = ""

    def rate_kept(self) -> ExchangeRate:
        """The rate as the entry keeps it."""
        return ExchangeRate(self.from_, self.to, self.rate, self.source)

    @classmethod
    def of(cls, rate: ExchangeRate) -> Self:
        """The rate on the wire."""
        return cls.model_validate({"from": rate.base, "to": rate.quote, "rate": rate.rate, "source": rate.source})


Rates = Annotated[tuple[RateWire, ...], Field(max_length=ENTRY_RATES)]
"""The exchange rates of an entry in several currencies."""


class ReversesWire(Wire):
    """What a reversing entry undoes: the original, and for each own line the place of the original's line."""

    entry: str
    lines: tuple[int, ...]

    @classmethod
    def of(cls, reverses: Reverses) -> Self:
        """The reference on the wire."""
        return cls(entry=reverses.entry, lines=reverses.lines)
