"""What people do to accounts while others post on them: opened, narrowed, floored, closed, brought in; and read."""

from datetime import timedelta
from functools import partial
from typing import Any, Final

from shared.calls import Done
from shared.faults import Refused
from shared.ledger.model import Account, AccountCode, AccountType, Floor, Month, Side, credit, debit, month_of
from shared.ledger.rules.control import Control, Operation, Terms
from shared.ledger.rules.opening import OpeningRow
from shared.ledger.rules.reports import TrialBalance
from shared.money import Money
from tests.simulation.business import BANK, SALES, Business, Made, answer
from tests.simulation.people import Person
from tests.simulation.workload import control, entry

HALF: Final = 0.5
TILLS: Final = "POST /v1/ledger/accounts"
FLOOR: Final = "PUT /v1/ledger/accounts/floor"
OPENING: Final = "POST /v1/ledger/opening_balances"
TRIAL_BALANCE: Final = "GET /v1/ledger/reports/trial_balance"


def keeping_a_till(person: Person, business: Business) -> None:
    """Opened, used by others, emptied, closed; if it could not be closed, its currencies are narrowed."""
    code = _opened(person, "assets:till", AccountType.ASSET)
    money = business.pounds(1_000, 9_000)
    person.ask("POST /v1/ledger/entries", entry((debit(code, money), credit(SALES, money))))
    for currency in ("GBP", "EUR"):
        business.employ("cashier", partial(_in_and_out, code=code, currency=currency), after=0)
    narrowed = person.ask(
        "PUT /v1/ledger/accounts/currencies", control(Control.SET_CURRENCIES, code, Terms(currencies=("GBP",)))
    )
    if not isinstance(narrowed, Refused):
        business.stopped.add((business.tenant, f"{code} EUR"))
    person.think(5)
    person.ask("POST /v1/ledger/entries", entry((debit(BANK, money), credit(code, money))))
    closed = person.ask("POST /v1/ledger/accounts/close", control(Control.CLOSE_ACCOUNT, code))
    if not isinstance(closed, Refused):
        business.stopped.add((business.tenant, code))
    for _ in range(3):  # on instances that may not have heard of it
        business.employ("cashier", partial(_in_and_out, code=code, currency="GBP"), after=0)


def _in_and_out(person: Person, _: Business, *, code: AccountCode, currency: str) -> None:
    """The same amount in and out again, some times; whatever is refused stays undone."""
    for _number in range(6):
        money = Money(person.cloud.world.random.randint(1, 50), currency)
        lines = (debit(code, money), credit(SALES, money))
        if answer(person.ask("POST /v1/ledger/entries", entry(lines))):
            back = (credit(code, money), debit(SALES, money))
            person.ask("POST /v1/ledger/entries", entry(back))
        person.think(0.05)


def keeping_a_purse(person: Person, business: Business) -> None:
    """A floor is added while others spend, its limit is moved up and down, and it is taken away again."""
    random = business.cloud.world.random
    code = _opened(person, "liabilities:purse", AccountType.LIABILITY)
    money = business.pounds(1_000, 3_000)
    person.ask("POST /v1/ledger/entries", entry((debit(BANK, money), credit(code, money))))
    for limit in (*(random.choice((0, 500, 2_000)) for _ in range(random.randint(1, 3))), None):
        business.employ("spender", partial(_spending_from, code=code), after=0)
        if random.random() < HALF:
            person.think(1)
        place, wanted = (business.tenant, code), None if limit is None else Floor("GBP", limit)
        before = business.floors.get(place)
        if before is not None:  # while it is asked for, either holds; without one, nothing does yet
            business.floors[place] = max(before, limit or 0)
        if limit is None:
            business.floors.pop(place, None)
        done = person.ask(FLOOR, _set_floor(code, wanted))
        if limit is not None and not isinstance(done, Refused):
            business.floors[place] = limit
        elif limit is not None and before is not None:
            business.floors[place] = before
        person.think(10)


def _spending_from(person: Person, business: Business, *, code: AccountCode) -> None:
    for _ in range(4):
        money = business.pounds(50, 700)
        person.ask("POST /v1/ledger/entries", entry((debit(code, money), credit(BANK, money))))
        person.think(0.05)


def _set_floor(code: AccountCode, floor: Floor | None) -> Made:
    def run(house: Any, call: Any) -> Done[Operation]:
        done: Done[Operation] = house.controls.set_floor(call.because("as agreed"), code, floor)
        return done

    return run


def migrating_in(person: Person, business: Business) -> None:
    """What another system's books came to, in one request that may come again."""
    rows = (
        OpeningRow("assets:opening:bank", Side.DEBIT, business.pounds(1, 90_000)),
        OpeningRow("liabilities:opening:loan", Side.CREDIT, business.pounds(1, 90_000)),
    )
    for row in rows:
        kind = AccountType.ASSET if row.side is Side.DEBIT else AccountType.LIABILITY
        person.ask(TILLS, _open(Account(row.account, kind, "Brought in")))
    on = business.cloud.world.now.date() - timedelta(days=1)
    done = person.ask(
        "POST /v1/ledger/opening_balances", lambda house, call: house.opening_balances.post(call, on, rows)
    )
    if not isinstance(done, Refused):
        for row in rows:
            business.brought_in[row.account] = row.money.amount if row.side is Side.DEBIT else -row.money.amount


def reading(person: Person, business: Business) -> None:
    """Trial balances in the midst of it all: each is of one instant, so each adds up."""
    world = business.cloud.world
    for _ in range(world.random.randint(2, 5)):
        read = person.ask(TRIAL_BALANCE, partial(_trial_balance, through=month_of(world.now.date())), once=False)
        if isinstance(read, Refused) or any(read.out_of_balance.values()):
            world.violated("a trial balance does not add up")
        person.think(60)


def _trial_balance(house: Any, call: Any, through: Month) -> TrialBalance:
    read: TrialBalance = house.reports.trial_balance(call.tenant, through)
    return read


def _opened(person: Person, stem: str, kind: AccountType) -> AccountCode:
    code = f"{stem}:{person.name.rpartition('-')[2]}"
    shards = person.cloud.world.random.choice((1, 4))
    person.ask(TILLS, _open(Account(code, kind, "Opened by hand", shards=shards)))
    return code


def _open(account: Account) -> Made:
    return lambda house, call: house.chart.open_account(call, account)
