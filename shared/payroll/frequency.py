"""How often pay falls due: in whole weeks, or in whole months."""

from enum import Enum


class Frequency(Enum):
    """A regular pay interval."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    FOUR_WEEKLY = "four_weekly"
    MONTHLY = "monthly"

    @property
    def units(self) -> int:
        """Weeks in one interval; months for monthly pay."""
        return {Frequency.FORTNIGHTLY: 2, Frequency.FOUR_WEEKLY: 4}.get(self, 1)

    @property
    def units_a_year(self) -> int:
        """The 52 weeks or 12 months over which a year's figures are spread."""
        return 12 if self is Frequency.MONTHLY else 52

    @property
    def periods_a_year(self) -> int:
        """Regular pay days a year: 52, 26, 13 or 12."""
        return self.units_a_year // self.units
