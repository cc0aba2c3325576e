"""One tenant's day: who works there, what its partner knows, and what its doors have answered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from shared.calls import Done
from shared.faults import Refused
from shared.identity import TenantId
from shared.invoicing.model import Invoice
from shared.ledger.model import Account, AccountType, Floor
from shared.money import Money
from tests.simulation.acquirer import Acquirer
from tests.simulation.bank import Bank
from tests.simulation.cloud import Cloud
from tests.simulation.partner import Stripe
from tests.simulation.people import Person

WALLET: Final = Account("liabilities:wallet", AccountType.LIABILITY, "Wallet", shards=1, floor=Floor("GBP", 0))
BANK, SALES, RECEIVABLE = "assets:bank", "revenue:sales", "assets:receivable"
DECEMBER: Final = 12

Made = Callable[[Any, Any], Done[Any]]
"""What a client asks of a house under a call."""

YEAR: Final = "POST /v1/ledger/years/close"
EMPLOYEES: Final = 27
"""Two chunks of a payroll run."""


@dataclass
class Debtor:
    """A customer who owes, by invoices in one currency."""

    customer: str
    currency: str
    invoices: list[Invoice] = field(default_factory=list)
    """As they were issued."""


@dataclass
class Business:
    """One tenant's day: its clients, its partners, and what they know to be true."""

    cloud: Cloud
    tenant: TenantId
    stripe: Stripe = field(init=False)
    acquirer: Acquirer = field(init=False)
    bank: Bank = field(init=False)
    people: list[Person] = field(default_factory=list)
    invoices: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    stopped: set[tuple[str, str]] = field(default_factory=set)
    """Tenant and account or month where nothing may land any more, as the doors have answered."""
    floors: dict[tuple[str, str], int] = field(default_factory=dict)
    """By tenant and account of the credit side: how far below zero it may stand, as the doors have answered."""
    brought_in: dict[str, int] = field(default_factory=dict)
    """Debits less credits of accounts that another system's books brought."""
    debtors: list[Debtor] = field(default_factory=list)
    write_off_limit: int = 0
    """Of an invoice in pounds, as the door has answered last."""

    def __post_init__(self) -> None:
        self.stripe = Stripe(self.cloud, self.tenant)
        self.acquirer = Acquirer(self.cloud, self.tenant)
        self.bank = Bank(self.cloud, self.tenant)

    def employ(self, name: str, script: Callable[[Person, "Business"], object], *, after: float | None = None) -> None:
        """Somebody begins to follow a script, in so many seconds or some time from now."""
        person = Person(self.cloud, self.tenant, f"{name}-{len(self.people)}")
        self.people.append(person)
        person.follow(lambda one: script(one, self), after=after)

    def pounds(self, least: int, most: int) -> Money:
        """Some money."""
        return Money(self.cloud.world.random.randint(least, most), "GBP")


def answer(done: Any) -> Any:
    """The answer of what was done, or None when it was refused."""
    return None if isinstance(done, Refused) else done.answer
