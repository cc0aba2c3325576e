"""What a tenant's day is made of: scripts that clients follow. A later domain adds its own as a function here."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from shared.calls import Done
from shared.customers.model import Customer, CustomerKind, NewCustomer, PersonalField
from shared.faults import Refused
from shared.identity import Cause, StoredId
from shared.invoicing.model import DraftInvoice, DraftLine, Invoice
from shared.ledger.model import JournalEntry, Line, credit, debit, month_of
from shared.ledger.rules.control import Control, Terms
from shared.ledger.rules.holds import PostOrder
from shared.ledger.rules.monitors import Direction, Measure
from shared.ledger.rules.monitors import Watch as BalanceWatch
from shared.ledger.rules.reversals import Part, ReversalOrder
from shared.ledger.use_cases.batches import Batch, Mode
from shared.ledger.use_cases.holds import HoldOrder
from shared.ledger.use_cases.together import Posting
from shared.money import Money
from shared.payroll.countries.gb.categories import NicCategory
from shared.payroll.countries.gb.tax_code import TaxCode
from shared.payroll.frequency import Frequency
from shared.payroll.model import PayPeriod, PayTerms
from shared.payroll.records import SEALED_FIELDS
from shared.payroll.runs import Employee, PayrollRun, RunState
from shared.payroll.use_cases.employees import NewEmployee
from shared.tax.model import Category, Supply
from tests.simulation.business import BANK, DECEMBER, SALES, WALLET, YEAR, Business, Made, answer
from tests.simulation.people import Person
from tests.simulation.world import CANARY

# --- invoices and payments ---------------------------------------------------------------


def selling(person: Person, business: Business) -> None:
    """A customer, some invoices, and what becomes of each."""
    random = business.cloud.world.random
    new = NewCustomer(
        Customer("", f"C-{person.name}", "GB", CustomerKind.BUSINESS, "GBP"), {PersonalField.NAME: CANARY}
    )
    customer = answer(person.ask("POST /v1/customers", lambda house, call: house.customers.add(call, new)))
    for _ in range(random.randint(1, 3)):
        line = DraftLine("Consulting", Decimal(random.randint(1, 5)), random.randint(100, 50_000), Category.STANDARD)
        draft = DraftInvoice("", customer.id, "GBP", Supply.SERVICE, (line,), 30)
        drafted = answer(person.ask("POST /v1/invoices", _draft(draft)))
        if random.random() < 0.2:
            business.stripe.paid(random.randint(1, 50_000), drafted.id)  # before the invoice is issued
        else:
            person.think(20)
        done = person.ask("POST /v1/invoices/issue", _issue(drafted.id))
        issued = answer(done)
        if random.random() < 0.3:
            person.ask("POST /v1/invoices/issue", _issue(drafted.id))  # a colleague's, under a key of its own
        if not isinstance(issued, Invoice):
            continue
        business.invoices.append(issued.id)
        person.think(30)
        _pay(person, business, issued)


def _draft(draft: DraftInvoice) -> Made:
    return lambda house, call: house.invoicing.draft(call, draft)


def _issue(invoice: str) -> Made:
    return lambda house, call: house.invoicing.issue(call, invoice)


def _pay(person: Person, business: Business, invoice: Invoice) -> None:
    """All at once, in parts, too much, for nothing we know; and some of it goes back."""
    random, gross = business.cloud.world.random, invoice.gross.amount
    parts = random.choice(((gross,), (gross,), (gross // 2, gross - gross // 2), (gross + 500,), (gross - 1,)))
    for part in parts:
        if random.random() < 0.4:
            business.acquirer.paid(part, random.choice((invoice.number, invoice.number, "")))
            continue
        payment = business.stripe.paid(part, random.choice((invoice.id, invoice.id, invoice.id, "")))
        if random.random() < 0.4:
            if random.random() < 0.5:
                person.think(5)
            first = random.choice((part, random.randint(1, part)))
            business.stripe.gave_back(payment, first)
            if first < part and random.random() < 0.5:
                business.stripe.gave_back(payment, random.randint(1, part - first))


# --- the ledger --------------------------------------------------------------------------


def keeping_books(person: Person, business: Business) -> None:
    """Entries, reversals and batches between accounts without a floor."""
    random = business.cloud.world.random
    for _ in range(random.randint(2, 5)):
        money = business.pounds(1, 90_000)
        days = random.choice((0, 0, 1, 25))
        memo = CANARY if random.random() < 0.3 else None
        lines = (debit(BANK, money), credit(SALES, money))
        posted = answer(person.ask("POST /v1/ledger/entries", entry(lines, days, memo)))
        person.think(10)
        if posted and random.random() < 0.6:
            some = Money(random.randint(1, money.amount), "GBP")
            for parts in random.sample((None, (Part(0, some), Part(1, some)), None), 2):
                order = ReversalOrder(StoredId(posted.entry.id), parts)
                person.ask("POST /v1/ledger/entries/reverse", _reverse(order))
    for mode in (Mode.INDEPENDENT, Mode.LINKED):
        amounts = [business.pounds(1, 900) for _ in range(random.randint(2, 30))]
        person.ask("POST /v1/ledger/batches", _batch(mode, amounts, BANK))
        person.think(5)


def entry(lines: tuple[Line, ...], days_ago: int = 0, memo: str | None = None) -> Made:
    """A journal entry of some lines."""

    def post(house: Any, call: Any) -> Done[Any]:
        on = call.at.date() - timedelta(days=days_ago)
        made = JournalEntry(call.cause.stored_id("entry"), lines, on, str(call.cause), call.request_hash)
        done: Done[Any] = house.memos.post(call, made.posted_at(call.at), memo)
        return done

    return post


def _reverse(order: ReversalOrder) -> Made:
    return lambda house, call: house.reversals.reverse(call, order)


def _batch(mode: Mode, amounts: list[Money], to: str) -> Made:
    def post(house: Any, call: Any) -> Done[Any]:
        postings = []
        for place, money in enumerate(amounts):
            own = replace(call, cause=Cause("api", call.cause.endpoint, f"{call.cause.key}#{place}"))
            lines = (debit(to, money), credit(SALES if to == BANK else BANK, money))
            made = JournalEntry(own.cause.stored_id("entry"), lines, call.at.date(), str(own.cause), call.request_hash)
            postings.append(Posting(own, made.posted_at(call.at), audited=False))
        batch = Batch(call.cause.stored_id("batch"), mode, tuple(postings))
        memos = {posting.entry.id: CANARY for posting in postings[::2]}
        done: Done[Any] = house.batches.post(call, house.memos.sealed_batch(call.tenant, batch, memos))
        return done

    return post


def spending(person: Person, business: Business) -> None:
    """Money into a wallet, out of it, and held there: never more than there is."""
    random = business.cloud.world.random
    for _ in range(random.randint(3, 6)):
        money = business.pounds(100, 1_000)
        match random.randrange(4):
            case 0 | 1:
                person.ask("POST /v1/ledger/entries", entry((debit(BANK, money), credit(WALLET.code, money))))
            case 2:
                person.ask("POST /v1/ledger/entries", entry((debit(WALLET.code, money), credit(BANK, money))))
            case _:
                _hold(person, money)
        person.think(10)


def rushing(person: Person, business: Business) -> None:
    """Out of the wallet, at the same moment as others: not all of them can have it."""
    if business.cloud.world.random.random() < 0.5:
        amounts = [business.pounds(20, 200) for _ in range(business.cloud.world.random.randint(3, 12))]
        person.ask("POST /v1/ledger/batches", _batch(Mode.INDEPENDENT, amounts, WALLET.code))
        return
    money = business.pounds(200, 900)
    person.ask("POST /v1/ledger/entries", entry((debit(WALLET.code, money), credit(BANK, money))))


def bustling(person: Person, business: Business) -> None:
    """Entry after entry, while something is done to the accounts."""
    for _ in range(8):
        money = business.pounds(1, 50)
        days = business.cloud.world.random.choice((0, 0, 25))
        person.ask("POST /v1/ledger/entries", entry((debit(BANK, money), credit(SALES, money)), days))
        person.think(0.01)


def _hold(person: Person, money: Money) -> None:
    random = person.cloud.world.random
    lines = (debit(WALLET.code, money), credit(BANK, money))
    hours = random.choice((0.2, 2, 30))
    until = person.cloud.world.now + timedelta(hours=hours)
    held = answer(
        person.ask("POST /v1/ledger/holds", lambda house, call: house.holds.reserve(call, HoldOrder(lines, until)))
    )
    if held is None:
        return
    person.think(10)
    for _ in range(random.randint(1, 2)):
        if random.random() < 0.3:
            person.ask("POST /v1/ledger/holds/void", lambda house, call: house.holds.void(call, held.id))
            continue
        part = Money(random.randint(1, money.amount), "GBP")
        some = (debit(WALLET.code, part), credit(BANK, part))
        order = PostOrder(random.choice((None, some)), final=random.random() < 0.3)
        person.ask("POST /v1/ledger/holds/post", _post_hold(held.id, order))


def _post_hold(hold: StoredId, order: PostOrder) -> Made:
    return lambda house, call: house.holds.post(call, hold, order)


def controlling(person: Person, business: Business) -> None:
    """Freezes, shards, floors, and the close of the month once it is over."""
    world = business.cloud.world
    for _ in range(world.random.randint(1, 3)):
        account = world.random.choice((BANK, SALES, WALLET.code))
        asked = world.random.choice((Control.FREEZE, Control.RESHARD))
        terms = Terms(shards=world.random.choice((2, 4, 8))) if asked is Control.RESHARD else None
        if asked is Control.RESHARD and account == WALLET.code:
            continue
        business.employ("clerk", bustling, after=0)
        done = person.ask(f"POST /v1/ledger/accounts/{asked.value}", control(asked, account, terms))
        if asked is Control.FREEZE and not isinstance(done, Refused):
            business.stopped.add((business.tenant, account))
            person.think(3)
            business.stopped.discard((business.tenant, account))
            person.ask("POST /v1/ledger/accounts/unfreeze", control(Control.UNFREEZE, account))
        person.think(20)
    before = date(world.now.year, world.now.month, 1) - timedelta(days=1)
    month = month_of(before)
    steps = (
        (),
        (Control.SOFT_CLOSE,),
        (Control.SOFT_CLOSE, Control.HARD_CLOSE),
        (Control.SOFT_CLOSE, Control.REOPEN) * 2,
        (Control.HARD_CLOSE, Control.REOPEN_FOR_ADJUSTING, Control.REOPEN),
    )
    for step in world.random.choice(steps):
        if step is Control.REOPEN:
            business.stopped.discard((business.tenant, month))
        business.employ("clerk", bustling, after=0)
        done = person.ask(f"POST /v1/ledger/periods/{step.value}", control(step, month))
        if step in {Control.SOFT_CLOSE, Control.HARD_CLOSE} and not isinstance(done, Refused):
            business.stopped.add((business.tenant, month))
        person.think(15)


def ending_the_year(person: Person, business: Business) -> None:
    """Soft close twelve months, then the year; two ask for it at once."""
    world = business.cloud.world
    if world.begins.month != DECEMBER:
        return
    person.until(lambda: world.now.year > world.begins.year, 30)
    for month in range(1, 13):
        person.ask("POST /v1/ledger/periods/soft_close", control(Control.SOFT_CLOSE, f"2026-{month:02d}"))
    business.employ("colleague", lambda other, _: other.ask(YEAR, _close_year), after=0)
    done = person.ask(YEAR, _close_year)
    if not isinstance(done, Refused):
        business.stopped |= {(business.tenant, f"2026-{month:02d}") for month in range(1, 13)}


def _close_year(house: Any, call: Any) -> Done[Any]:
    done: Done[Any] = house.year_ends.close(call.because("the year is over"), 2026, 12)
    return done


def watching(person: Person, business: Business) -> None:
    """What is available in the wallet, and what stands at the bank; one is given up again."""
    random = business.cloud.world.random
    for account, measure, direction in (
        (WALLET.code, Measure.AVAILABLE, Direction.BELOW),
        (BANK, Measure.BALANCE, Direction.ABOVE),
    ):
        watch = BalanceWatch(account, measure, direction, business.pounds(100, 3_000))
        watched = answer(person.ask("POST /v1/ledger/monitors", _watch(watch)))
        if watched and random.random() < 0.3:
            person.think(60)
            person.ask("POST /v1/ledger/monitors/end", _end_watch(watched.id))


def _watch(watch: BalanceWatch) -> Made:
    return lambda house, call: house.monitors.watch(call, watch)


def _end_watch(monitor: StoredId) -> Made:
    return lambda house, call: house.monitors.end(call, monitor)


def control(operation: Control, target: str, terms: Terms | None = None) -> Made:
    """A control operation."""
    return lambda house, call: house.controls.run(call.because("as asked"), operation, target, terms)


# --- payroll -----------------------------------------------------------------------------


def hiring(person: Person, business: Business) -> None:
    """Some are taken on while the others are being paid."""
    for number in range(business.cloud.world.random.randint(1, 3)):
        new = new_employee(f"H-{number}")
        person.ask("POST /v1/employees", _take_on(new))
        person.think(10)


def _take_on(new: NewEmployee) -> Made:
    return lambda house, call: house.employees.take_on(call, new)


def new_employee(reference: str) -> NewEmployee:
    """Somebody to pay."""
    terms = PayTerms(Money(3_600_000, "GBP"), TaxCode.parse("1257L"), NicCategory.A)
    return NewEmployee(Employee("", reference, terms), dict.fromkeys(SEALED_FIELDS, CANARY))


def preparing_payroll(person: Person, business: Business) -> None:
    """A run of everybody."""
    pay = PayPeriod(date(2026, 11, 28), Frequency.MONTHLY)
    run = answer(
        person.ask("POST /v1/payroll_runs", lambda house, call: house.payroll_runs.prepare(call, "2026-11", pay))
    )
    if run is None:
        return
    business.runs.append(run.id)

    def approving(other: Person, _: Business) -> None:
        def look() -> PayrollRun:
            seen = other.ask(
                "GET /v1/payroll_runs", lambda house, call: house.payroll_runs.run(call.tenant, run.id), once=False
            )
            assert isinstance(seen, PayrollRun)
            return seen

        other.until(lambda: look().state is not RunState.CALCULATING, 15)
        other.ask("POST /v1/payroll_runs/approve", lambda house, call: house.payroll_runs.approve(call, run.id))

    business.employ("approver", approving)
