"""The exchange rates that a world publishes: on the working days around its beginning, and on no other."""

from typing import TYPE_CHECKING, Final

from shared.identity import TenantId
from shared.payments.exchange_rates import read_rates
from shared.payments.rules.exchanging import Exchange
from shared.payments.use_cases.allocations import Allocations

if TYPE_CHECKING:
    from shared.wiring import House

RATES: Final = read_rates(
    '{"schema": 1, "source": "SIM", "base": "EUR", "days": {'
    '"2026-10-22": {"GBP": "0.87300"}, "2026-10-23": {"GBP": "0.87113"}, "2026-10-26": {"GBP": "0.86420"},'
    '"2026-10-29": {"GBP": "0.88150"}, "2026-10-30": {"GBP": "0.88317"}, "2026-11-13": {"GBP": "0.87171"},'
    '"2026-11-16": {"GBP": "0.86999"}, "2026-11-27": {"GBP": "0.85222"}, "2026-11-30": {"GBP": "0.85031"},'
    '"2026-12-01": {"GBP": "0.85555"}, "2026-12-30": {"GBP": "0.87701"}, "2026-12-31": {"GBP": "0.87654"}}}'
)
"""Made up, as the house's own file is written."""


def exchanging(house: "House") -> Allocations:
    """The room that allocates, with these rates in place of the house's file."""

    def exchange(tenant: TenantId) -> Exchange:
        return Exchange(RATES, house.tenants.profile(tenant).currency)

    return Allocations(house.desk, house.books, exchange)
