"""A tenant's first day, and who goes to work then."""

from typing import Any

from shared.http.requests import REQUEST_HASH
from shared.identity import TenantId
from tests.simulation.applier import applying, limiting, owing
from tests.simulation.arranging import keeping_a_purse, keeping_a_till, migrating_in, reading
from tests.simulation.business import EMPLOYEES, WALLET, Business
from tests.simulation.cloud import Cloud
from tests.simulation.invariants import Watch
from tests.simulation.money_back import giving_back, open_partner
from tests.simulation.people import Person
from tests.simulation.telling import being_told
from tests.simulation.workload import (
    controlling,
    ending_the_year,
    hiring,
    keeping_books,
    new_employee,
    preparing_payroll,
    rushing,
    selling,
    spending,
    watching,
)


def open_business(cloud: Cloud, tenant: TenantId, watch: Watch) -> Business:
    """A tenant with its books, its wallet and, for some, its employees: before anything goes wrong."""
    from shared.tenants.use_cases.tenants import NewTenant  # noqa: PLC0415

    cloud.secrets.live[REQUEST_HASH] = (b"a key of every request's hash",)
    house, business = cloud.house(), Business(cloud, tenant, stopped=watch.stopped, floors=watch.floors)
    person = Person(cloud, tenant, "founder")

    def call(key: str) -> Any:
        return person._call("setup", key, cloud.world.now, once=True)

    house.tenants.create(
        call("tenant"), NewTenant(tenant, "Acme Ltd", "GB", "GBP", {"GB": "GB980780684"}, "user:founder")
    )
    house.chart.open_account(call("wallet"), WALLET)
    business.floors[tenant, WALLET.code] = 0
    open_partner(business)
    if cloud.world.random.random() < 0.7:
        house.refunds.set_limits(call("limits"), {"GBP": cloud.world.random.choice((100, 20_000))})
    for number in range(EMPLOYEES if cloud.world.random.random() < 0.5 else 0):
        house.employees.take_on(call(f"employee-{number}"), new_employee(f"E-{number}"))
    return business


def begin(business: Business) -> None:
    """Everybody goes to work."""
    random = business.cloud.world.random
    for _ in range(random.randint(1, 3)):
        business.employ("seller", selling)
    if business.cloud.world.telling:
        business.employ("integrator", being_told, after=0)
    if business.cloud.world.applying:
        _begin_applying(business)
    for _ in range(random.randint(1, 2)):
        business.employ("cashier", giving_back)
    business.employ("bookkeeper", keeping_books)
    for _ in range(random.randint(1, 2)):
        business.employ("spender", spending)
    business.employ("controller", controlling)
    business.employ("treasurer", watching)
    business.employ("accountant", ending_the_year)
    for script in random.sample((keeping_a_till, keeping_a_purse, migrating_in, reading), random.randint(1, 4)):
        business.employ("clerk", script)
    moment = random.uniform(3_000, 15_000)
    for _ in range(random.randint(2, 4)):
        business.employ("rusher", rushing, after=moment)
    if random.random() < 0.6:
        business.employ("personnel", hiring)
        business.employ("payroll", preparing_payroll)


def _begin_applying(business: Business) -> None:
    """Those who apply cash."""
    for _ in range(business.cloud.world.random.randint(1, 2)):
        business.employ("debtor", owing)
        business.employ("applier", applying)
    business.employ("owner", limiting, after=0)
