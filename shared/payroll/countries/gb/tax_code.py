"""A tax code says whose bands, how much is free of tax, and whether the year so far counts.

Forms as in HMRC's "Understanding your employees' tax codes" (gov.uk/employee-tax-codes): nation
S or C or none; a number with suffix L, M, N or T; K with a number; 0T, BR, D0-D3, NT.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from shared.payroll.refusals import InvalidTaxCode

_CODE: Final = re.compile(
    r"(?P<nation>[SC]?)(?P<body>[1-9][0-9]{0,5}[LMNT]|K[1-9][0-9]{0,5}|0T|BR|D[0-3]|NT)(?P<alone>W1/?M1|/1|W1|M1|X|)"
)


class Nation(Enum):
    """Whose income tax bands apply."""

    REST_OF_UK = "rest_of_uk"
    WALES = "wales"
    SCOTLAND = "scotland"


class CodeKind(Enum):
    """What a code does to pay."""

    ALLOWANCE = "allowance"
    """A number and a suffix: tax-free pay of ten times the number a year; 0T has none."""
    ADDITION = "addition"
    """K: pay counts as ten times the number a year higher."""
    FLAT = "flat"
    """BR and D codes: one rate on all pay."""
    NO_TAX = "no_tax"
    """NT: nothing is due, and what was taken this year is paid back."""


_NATIONS: Final = {"": Nation.REST_OF_UK, "C": Nation.WALES, "S": Nation.SCOTLAND}
_PREFIXES: Final = {nation: prefix for prefix, nation in _NATIONS.items()}


@dataclass(frozen=True, slots=True)
class TaxCode:
    """A well-formed code: `TaxCode.parse("S1257L M1")`.

    `body` is the code without nation and marker (`1257L`, `K475`, `0T`, `BR`, `D0`, `NT`);
    a code that is not cumulative taxes each pay day on its own (week 1 / month 1).
    """

    nation: Nation
    body: str
    cumulative: bool = True

    def __post_init__(self) -> None:
        """Refuse a body that no such code has.

        Raises:
            InvalidTaxCode: the body is malformed, or the nation has no such code.
        """
        found = _CODE.fullmatch(self.body)
        if found is None or found["nation"] or found["alone"]:
            raise InvalidTaxCode
        if self.body == "NT" and self.nation is not Nation.REST_OF_UK:
            raise InvalidTaxCode
        if self.body in {"D2", "D3"} and self.nation is not Nation.SCOTLAND:
            raise InvalidTaxCode

    @classmethod
    def parse(cls, text: str) -> "TaxCode":
        """Read a code as people write it; case and spaces do not matter.

        Raises:
            InvalidTaxCode: it is none.
        """
        found = _CODE.fullmatch(text.replace(" ", "").upper())
        if found is None:
            raise InvalidTaxCode
        return cls(_NATIONS[found["nation"]], found["body"], cumulative=not found["alone"])

    @property
    def kind(self) -> CodeKind:
        """What the code does to pay."""
        if self.body == "NT":
            return CodeKind.NO_TAX
        if self.body[0] in "BD":
            return CodeKind.FLAT
        return CodeKind.ADDITION if self.body[0] == "K" else CodeKind.ALLOWANCE

    @property
    def number(self) -> int:
        """The numeric part, tens of pounds a year; 0 for codes without one."""
        return int(self.body.strip("KLMNT") or 0) if self.kind in {CodeKind.ALLOWANCE, CodeKind.ADDITION} else 0

    def __str__(self) -> str:
        return f"{_PREFIXES[self.nation]}{self.body}{'' if self.cumulative else ' X'}"
