"""Cash application in a tenant's day: debtors, money that names nothing or several, orders and their undoing."""

from decimal import Decimal
from functools import partial
from typing import Any, Final

from shared.customers.model import Customer, CustomerKind, NewCustomer, PersonalField
from shared.faults import Refused
from shared.invoicing.model import DraftInvoice, DraftLine, Invoice
from shared.money import Money
from shared.payments.allocations import Allocation, Slice
from shared.payments.model import Payment
from shared.payments.use_cases.virtual_accounts import VirtualAccount
from shared.tax.model import Category, Supply
from tests.simulation.bank import PARTNER
from tests.simulation.business import Business, Debtor, Made, answer
from tests.simulation.people import Person
from tests.simulation.world import CANARY

ALLOCATE: Final = "POST /v1/payments/allocations"
UNDO: Final = "POST /v1/payments/allocations/undo"
ASSIGN: Final = "POST /v1/payments/virtual_accounts"
RELEASE: Final = "POST /v1/payments/virtual_accounts/release"
LIMIT: Final = "POST /v1/payments/write_off_limits"
PAYMENTS: Final = "GET /v1/payments"
INVOICES: Final = "GET /v1/invoices"

NUMBERS: Final = (f"{CANARY} 1", f"{CANARY} 2")
"""Of virtual accounts: fewer than debtors, so that some are given on, and nowhere to be read."""
EUROS, TOO_MUCH, HALF = 0.3, 0.07, 0.5
PAGE: Final = 100


# --- what is owed, and what comes for it --------------------------------------------------


def owing(person: Person, business: Business) -> None:
    """A customer with some invoices, perhaps an account of its own, and money for them."""
    random = business.cloud.world.random
    new = NewCustomer(
        Customer("", f"C-{person.name}", "GB", CustomerKind.BUSINESS, "GBP"), {PersonalField.NAME: CANARY}
    )
    customer = answer(person.ask("POST /v1/customers", lambda house, call: house.customers.add(call, new)))
    debtor = Debtor(customer.id, "EUR" if random.random() < EUROS else "GBP")
    business.debtors.append(debtor)
    account = _assigned(person, random.choice(NUMBERS), debtor)
    for _ in range(random.randint(2, 4)):
        _owe(person, debtor)
    for _ in range(random.randint(3, 5)):
        if debtor.invoices:
            random.choice(WAYS)(business, debtor)
        person.think(10)
    if account and random.random() < HALF:
        person.ask(RELEASE, lambda house, call: house.virtual_accounts.release(call, account.id))
        business.bank.came(random.randint(100, 20_000), random.choice(NUMBERS))


def _assigned(person: Person, number: str, debtor: Debtor) -> VirtualAccount | None:
    """The account, if nobody else has it."""
    assigned: VirtualAccount | None = answer(
        person.ask(ASSIGN, lambda house, call: house.virtual_accounts.assign(call, number, debtor.customer))
    )
    return assigned


def _owe(person: Person, debtor: Debtor) -> None:
    random = person.cloud.world.random
    price = random.randint(100, 20_000)
    if debtor.invoices and random.random() < HALF:
        price = debtor.invoices[-1].lines[0].unit_price  # a month like the one before
    line = DraftLine("Consulting", Decimal(1), price, Category.STANDARD)
    draft = DraftInvoice("", debtor.customer, debtor.currency, Supply.SERVICE, (line,), random.choice((14, 30)))
    drafted = answer(person.ask("POST /v1/invoices", lambda house, call: house.invoicing.draft(call, draft)))
    issued = answer(person.ask("POST /v1/invoices/issue", lambda house, call: house.invoicing.issue(call, drafted.id)))
    if isinstance(issued, Invoice):
        debtor.invoices.append(issued)


def _names_nothing(business: Business, _: Debtor) -> None:
    """A card is charged, and nobody says for what; some of it goes back by hand."""
    random = business.cloud.world.random
    amount = random.randint(1_000, 40_000)
    payment = business.stripe.paid(amount, "", currency=random.choice(("gbp", "gbp", "eur")))
    if random.random() < HALF:
        wait = random.choice((60.0, 3_000.0, 9_000.0))
        business.cloud.world.after(wait, lambda: business.stripe.gave_back(payment, random.randint(1, amount)))


def _names_several(business: Business, debtor: Debtor) -> None:
    """One payment for some invoices, or for all but a little, that may be refunded, reversed, disputed."""
    random = business.cloud.world.random
    named = random.sample(debtor.invoices, random.randint(1, len(debtor.invoices)))
    due = sum(invoice.gross.amount for invoice in named)
    business.acquirer.paid(random.choice((due, due, due + 100, due // 2 + 1)), " ".join(one.number for one in named))


def _to_the_account(business: Business, debtor: Debtor) -> None:
    """A transfer, mostly over exactly one invoice."""
    random = business.cloud.world.random
    gross = random.choice(debtor.invoices).gross.amount
    business.bank.came(random.choice((gross, gross, random.randint(1, gross))), random.choice(NUMBERS))


def _too_much(business: Business, debtor: Debtor) -> None:
    """More than an invoice asks for: the rest is its customer's credit."""
    random, invoice = business.cloud.world.random, business.cloud.world.random.choice(debtor.invoices)
    payment = business.stripe.paid(invoice.gross.amount + random.randint(1, 9_000), invoice.id)
    if random.random() < HALF / 2:
        business.stripe.gave_back(payment, random.randint(1, invoice.gross.amount))


WAYS: Final = (_names_nothing, _names_several, _names_several, _to_the_account, _to_the_account, _too_much)


# --- who applies it ----------------------------------------------------------------------


def limiting(person: Person, business: Business) -> None:
    """How much may be written off, changed while orders are made."""
    random = business.cloud.world.random
    for choice in ((500, 5_000), *[(0, 100, 500, 5_000)] * random.randint(1, 3)):
        limit = Money(random.choice(choice), "GBP")
        if not isinstance(person.ask(LIMIT, _set_limit(limit)), Refused):
            business.write_off_limit = limit.amount
        person.think(40)


def _set_limit(limit: Money) -> Made:
    return lambda house, call: house.write_off_limits.set(call.because("as agreed"), limit)


def applying(person: Person, business: Business) -> None:
    """Orders on what is left of payments, some by two at once, and some undone, also those that matched themselves."""
    random = business.cloud.world.random
    for number in range(random.randint(4, 7)):
        person.think(random.choice((2, 15)))
        payment = _somebodys_money(person)
        slices = _slices(person, business, payment) if payment else ()
        if payment and slices:
            if random.random() < HALF / 2:
                business.employ("colleague", partial(_orders, payment=payment.id, slices=slices), after=0)
            made = _ordered(person, f"{person.name}-order-{number}", payment.id, slices)
            if made and random.random() < HALF:
                _goes_back(business, payment)
            if made and random.random() < HALF:
                person.think(random.choice((0.1, 15)))
                _undoes(person, business, made.payment_id, made.id)
        elif payment and payment.shares:
            _undoes(person, business, payment.id, random.choice(payment.shares).allocation)


def _ordered(person: Person, key: str, payment: str, slices: tuple[Slice, ...]) -> Allocation | None:
    """An order; one that was refused is sent again as it was, now and then, and refused again."""
    done = person.ask(ALLOCATE, _allocate(payment, slices), key=key)
    if isinstance(done, Refused) and person.cloud.world.random.random() < HALF:
        person.think(20)
        again = person.ask(ALLOCATE, _allocate(payment, slices), key=key)
        if not isinstance(again, Refused) or again.code != done.code:
            person.cloud.world.violated(f"an order was refused {done.code}, and answered otherwise when it came again")
    made: Allocation | None = answer(done)
    return made


def _goes_back(business: Business, payment: Payment) -> None:
    """The payer wants some of what was just allocated back."""
    if payment.partner == "stripe":
        business.stripe.gave_back(payment.reference, business.cloud.world.random.randint(1, payment.received))
    if payment.partner == PARTNER:
        business.bank.took_back(payment.reference)


def _orders(person: Person, _: Business, *, payment: str, slices: tuple[Slice, ...]) -> None:
    person.ask(ALLOCATE, _allocate(payment, slices))


def _undoes(person: Person, business: Business, payment: str, allocation: str) -> None:
    def again(other: Person, _: Business) -> None:
        other.ask(UNDO, _undo(payment, allocation))

    if person.cloud.world.random.random() < HALF / 2:
        business.employ("colleague", again, after=0)
    again(person, business)


def _allocate(payment: str, slices: tuple[Slice, ...]) -> Made:
    return lambda house, call: house.allocations.allocate(call, payment, slices)


def _undo(payment: str, allocation: str) -> Made:
    return lambda house, call: house.allocations.undo(call.because("a mistake"), payment, allocation)


def _somebodys_money(person: Person) -> Payment | None:
    """A payment of which something is left, as the list shows it; else one that was allocated."""
    page: Any = person.ask(PAYMENTS, lambda house, call: house.payments.page(call.tenant, PAGE, None), once=False)
    known = [one for one in page.items if one.unapplied or one.own or one.shares]
    left = [one for one in known if one.unapplied]
    return person.cloud.world.random.choice(left or known) if known else None


def _slices(person: Person, business: Business, payment: Payment) -> tuple[Slice, ...]:
    """Invoices of a debtor, as they stand: whole, in part, or with their rest written off; now and then too much."""
    random = business.cloud.world.random
    debtors = [one for one in business.debtors if payment.customer in {"", one.customer}] or business.debtors
    if not debtors:
        return ()
    debtor = random.choice(debtors)
    owed = [invoice for invoice in _invoices(person, debtor) if invoice.open.amount > 0]
    left = payment.unapplied or payment.own
    slices = list[Slice]()
    for invoice in random.sample(owed, min(len(owed), random.randint(1, 3))):
        due = invoice.open.amount
        almost = max(1, due - random.randint(1, 600))
        wanted = random.choice((due, due, random.randint(1, due), almost, almost))
        wanted += random.random() < TOO_MUCH
        amount = min(wanted, left) if random.random() > TOO_MUCH else wanted
        if amount > 0:
            off = amount == almost or random.random() < TOO_MUCH
            slices.append(Slice(invoice.id, Money(amount, invoice.currency), write_off=off))
            left -= amount
    return tuple(slices)


def _invoices(person: Person, debtor: Debtor) -> list[Invoice]:
    where = {"customer_id": debtor.customer}
    page: Any = person.ask(
        INVOICES, lambda house, call: house.invoicing.page(call.tenant, where, PAGE, None), once=False
    )
    return [one for one in page.items if isinstance(one, Invoice)]
