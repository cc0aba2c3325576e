"""Payments that found no invoice by themselves are matched in a step of their own, at most once, or left to people."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

import pytest

from shared.calls import Done
from shared.customers.records import customer_ref
from shared.events import Command
from shared.faults import Refused, Retryable
from shared.invoicing.model import InvoiceState
from shared.invoicing.refusals import UnknownCustomer
from shared.ledger.rules.control import Control
from shared.payments.allocations import Allocation, Basis, Slice
from shared.payments.model import EventState, Payment
from shared.payments.records import payment_id
from shared.payments.refusals import AllocationExceedsCash, UnknownVirtualAccount, VirtualAccountTaken
from shared.payments.rules.accounts import UNAPPLIED_CASH
from shared.payments.wire import MatchTask
from shared.ports import Query
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.lines import lost
from tests.emulator.payments.accounts import RECEIVABLE, invoice_now
from tests.emulator.payments.conftest import apply, task_call, told_by
from tests.emulator.payments.test_allocations import some_invoices, undo
from tests.emulator.payments.test_lifecycles import say, settle
from tests.unit.invoicing.drafts import pounds

NUMBER: Final = "GB33 BUKB 2020 1555 5555 55"


def pay(house: Instance, payment: str = "p-1", amount: int = 12_000, **said: Any) -> Command | None:
    """Money comes; the command that matches it, if there is one."""
    before = {task.id for task in house.post.take("match_payment")}
    settle(house, say("payment.succeeded", payment=payment, amount=amount, **said))
    fresh = [task for task in house.post.take("match_payment") if task.id not in before]
    return fresh[0] if fresh else None


def match(house: Instance, task: Command | None) -> Done[Allocation | None]:
    """The queue brings it until it is done."""
    assert task is not None
    asked = MatchTask.model_validate_json(json.dumps(task.body))
    done: Done[Allocation | None] = house.again(
        lambda: house.matching.match(task_call(task), asked.payment, asked.numbers)
    )
    return done


def payment(house: Instance, reference: str = "p-1") -> Payment:
    """As it stands."""
    return house.payments.payment(ACME, payment_id("standard", reference))


def an_account(house: Instance, customer: str, number: str = NUMBER, key: str = "va") -> str:
    """A virtual account of a customer, by its id."""
    return house.virtual_accounts.assign(a_call(key, once=True), number, customer).answer.id


# --- by the reference --------------------------------------------------------------------


def test_a_payment_that_names_two_invoices_settles_both(house: Instance) -> None:
    """First it is unapplied cash, in one reading; then it is allocated by its reference, by a door of ours."""
    first, second, _ = some_invoices(house)
    task = pay(house, amount=20_000, reference=f"{second.number} {first.number}")
    assert (payment(house).unapplied, house.balance(RECEIVABLE)) == (20_000, 36_000)
    made = match(house, task).answer
    assert made is not None
    assert (made.basis, made.principal) == (Basis.REFERENCE, "system:match_payment")
    assert [invoice_now(house, one).paid for one in (first, second)] == [12_000, 8_000]
    assert (payment(house).unapplied, house.proven()) == (0, True)


def test_a_number_that_is_not_ours_leaves_it_to_people(house: Instance) -> None:
    """Nothing is guessed from the others."""
    first, *_ = some_invoices(house)
    task = pay(house, reference=f"{first.number} INV-2026-999999")
    assert match(house, task).answer is None
    assert (payment(house).unapplied, invoice_now(house, first).paid) == (12_000, 0)


# --- by the account ----------------------------------------------------------------------


def test_money_to_a_virtual_account_is_its_customers_and_settles_the_one_invoice_that_fits(house: Instance) -> None:
    """The number is compared without its blanks and is nowhere in the store."""
    customer = house.a_customer()
    first, *_ = some_invoices(house, 1, customer)
    account = an_account(house, customer)
    task = pay(house, paid_to="gb33bukb20201555555555")
    assert (payment(house).customer, payment(house).unapplied) == (customer, 12_000)
    made = match(house, task).answer
    assert made is not None
    assert (made.basis, invoice_now(house, first).state) == (Basis.AMOUNT, InvoiceState.PAID)
    assert house.balance(UNAPPLIED_CASH) == 0
    for collection in ("inbox", "virtual_accounts", "payments", "audit", "idempotency", "outbox", "entries"):
        for document in house.store.query(Query(collection, ACME)).documents:
            assert "20201555" not in str(document.ref) + str(document.fields)
    assert "20201555" not in str(task)
    assert account in {document.ref.key for document in house.store.query(Query("virtual_accounts", ACME)).documents}


@pytest.mark.parametrize("count", [0, 2])
def test_several_invoices_that_fit_or_none_leave_the_cash_to_people(house: Instance, count: int) -> None:
    """It stays unapplied, and is known to be the customer's."""
    customer = house.a_customer()
    some_invoices(house, count, customer)
    an_account(house, customer)
    assert match(house, pay(house, paid_to=NUMBER)).answer is None
    assert (payment(house).customer, payment(house).unapplied) == (customer, 12_000)
    assert (house.balance(UNAPPLIED_CASH), house.proven()) == (12_000, True)


def test_a_number_that_is_no_invoices_is_a_doubt_that_an_amount_does_not_settle(house: Instance) -> None:
    """A regression: one number that we do not know was passed over, and the invoice that fits was paid instead."""
    customer = house.a_customer()
    (bill,) = some_invoices(house, 1, customer)
    an_account(house, customer)
    assert match(house, pay(house, paid_to=NUMBER, reference="INV-2026-999999")).answer is None
    assert (payment(house).customer, payment(house).unapplied, invoice_now(house, bill).paid) == (customer, 12_000, 0)


def test_money_to_an_account_of_nobody_starts_no_matching(house: Instance) -> None:
    """Neither one that was never given, nor one that was released."""
    customer = house.a_customer()
    account = an_account(house, customer)
    house.virtual_accounts.release(a_call("release", once=True), account)
    assert pay(house, paid_to=NUMBER) is None
    assert pay(house, "p-2", paid_to="DE00123") is None
    assert (payment(house).customer, payment(house).unapplied) == ("", 12_000)


def test_an_account_is_one_customers_until_it_is_released(house: Instance) -> None:
    """Given to another it is refused; the same again is harmless."""
    first, second = house.a_customer("one"), house.a_customer("two")
    account = an_account(house, first)
    assert an_account(house, first, NUMBER.lower(), "again") == account
    with pytest.raises(VirtualAccountTaken):
        an_account(house, second, NUMBER, "other")
    house.virtual_accounts.release(a_call("release", once=True), account)
    with pytest.raises(Refused) as refusal:  # the same request, late: it was answered, and takes no account
        an_account(house, second, NUMBER, "other")
    assert refusal.value.code == VirtualAccountTaken.code
    assert an_account(house, second, NUMBER, "now") == account
    (known,) = house.virtual_accounts.page(ACME, 10, None).items
    assert (known.id, known.customer_id) == (account, second)
    with pytest.raises(UnknownCustomer):
        an_account(house, "a" * 52, "DE1", "nobody")
    with pytest.raises(UnknownVirtualAccount):
        house.virtual_accounts.release(a_call("nothing", once=True), "0" * 64)
    assert house.store.get([customer_ref(ACME, first)])[customer_ref(ACME, first)] is not None


def test_money_that_came_before_the_account_was_given_is_not_its_new_owners(house: Instance) -> None:
    """A regression: told late, the money of the one before settled an invoice of the one after."""
    first, second = house.a_customer("one"), house.a_customer("two")
    (bill,) = some_invoices(house, 1, second)
    account = an_account(house, first)
    house.virtual_accounts.release(a_call("release", once=True), account)
    later = NOON + timedelta(seconds=1)
    house.virtual_accounts.assign(a_call("now", once=True, at=later), NUMBER, second)
    assert pay(house, paid_to=NUMBER) is None
    assert (payment(house).customer, invoice_now(house, bill).paid) == ("", 0)
    house.virtual_accounts.assign(a_call("again", once=True, at=later + timedelta(days=1)), NUMBER, second)
    told = say("payment.succeeded", payment="p-2", paid_to=NUMBER) | {"timestamp": later.isoformat()}
    settle(house, told)  # theirs since then, whoever says so again
    (task,) = house.post.take("match_payment")
    assert match(house, task).answer is not None
    assert (payment(house, "p-2").customer, invoice_now(house, bill).paid) == (second, 12_000)


def test_an_invoice_that_the_payment_names_wins_over_its_account(house: Instance) -> None:
    """Somebody pays another's invoice: it is settled, and no matching follows."""
    payer = house.a_customer("payer")
    an_account(house, payer)
    bill = house.an_invoice("bill")
    assert pay(house, reference=bill.number, paid_to=NUMBER) is None
    assert (payment(house).customer, invoice_now(house, bill).state) == (bill.customer_id, InvoiceState.PAID)


# --- once, at once, with a death in between -----------------------------------------------


def test_a_payment_is_matched_once_also_when_people_undid_it(house: Instance) -> None:
    """Redelivered long after, it is answered with what was done."""
    first, second, _ = some_invoices(house)
    task = pay(house, amount=24_000, reference=f"{second.number} {first.number}")
    made = match(house, task).answer
    assert made is not None
    again = match(house, task)
    assert (again.replayed, again.answer) == (True, made)
    undo(house, "u", made)
    assert match(house, task).replayed
    assert (payment(house).unapplied, house.proven()) == (24_000, True)


def test_a_match_that_races_an_order_takes_only_what_is_left(house: Instance, another: More) -> None:
    """Eight of each at once: the cash is allocated once."""
    customer = house.a_customer()
    (bill,) = some_invoices(house, 1, customer)
    an_account(house, customer)
    task = pay(house, paid_to=NUMBER)
    instances = [another() for _ in range(4)]

    def ask(number: int) -> None:
        instance = instances[number % 4]
        if number % 2:
            match(instance, task)
            return
        call = a_call(f"order-{number}", once=True)
        try:
            slices = [Slice(bill.id, pounds(6_000))]
            instance.again(lambda: instance.allocations.allocate(call, payment(house).id, slices))
        except AllocationExceedsCash:
            return

    def asked(number: int) -> str:
        try:
            ask(number)
        except Exception as refusal:  # noqa: BLE001 - which is judged below
            return getattr(refusal, "code", "bug")
        return "done"

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(asked, range(8)))
    assert answers <= {"done", "allocation_exceeds_open"}
    assert (invoice_now(house, bill).paid, payment(house).unapplied) == (12_000, 0)
    assert (house.balance(RECEIVABLE), house.proven()) == (0, True)


def test_killed_at_any_moment_the_match_is_made_once(house: Instance, another: More) -> None:
    """Dead between any two calls: brought again, it is there once and everybody was told."""
    customer = house.a_customer()
    an_account(house, customer)
    for moment in range(20):
        (bill,) = [house.an_invoice(f"k{moment}", customer)]
        task = pay(house, f"p-{moment}", paid_to=NUMBER)
        fate = Fate()
        mortal = another(fate)
        fate.left = moment
        try:
            match(mortal, task)
        except Killed:
            killed = True
        else:
            killed = False
        fate.left = None
        assert match(house, task).answer is not None
        assert invoice_now(house, bill).state is InvoiceState.PAID
        if not killed:
            break
    assert not killed
    assert moment > 4, "asking, reading, committing and telling have more moments"
    assert (house.balance(UNAPPLIED_CASH), house.proven()) == (0, True)


def test_a_match_whose_answer_is_lost_is_made_once(house: Instance) -> None:
    """It landed: the next try finds it."""
    first, second, _ = some_invoices(house)
    task = pay(house, amount=24_000, reference=f"{second.number} {first.number}")
    house.line.commits.append(lost)
    assert match(house, task).answer is not None
    assert (payment(house).version, payment(house).unapplied, house.proven()) == (2, 0, True)


def test_a_match_ahead_of_its_payment_waits(house: Instance) -> None:
    """A queue keeps no order."""
    with pytest.raises(Retryable):
        house.matching.match(a_call("early"), "c" * 52, ())


def test_what_the_ledger_refuses_of_a_match_is_recorded(house: Instance) -> None:
    """A closed month: the cash stays, and people see why in the journal."""
    first, second, _ = some_invoices(house)
    task = pay(house, reference=f"{second.number} {first.number}")
    house.controls.run(a_call("close"), Control.SOFT_CLOSE, "2026-11")
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            match(house, task)
        assert refusal.value.code == "period_closed"
    assert payment(house).unapplied == 12_000


def test_a_match_that_was_not_sent_goes_out_when_the_event_is_told_again(house: Instance) -> None:
    """The queue was down after the commit: the command waits in the outbox with the announcement."""
    first, second, _ = some_invoices(house)
    event = say("payment.succeeded", payment="p-1", reference=f"{second.number} {first.number}")
    (task,) = told_by(house, "standard", event).messages
    house.post.down = True
    apply(house, task)  # type: ignore[arg-type]
    assert house.post.take("match_payment") == []
    house.post.down = False
    assert apply(house, task).answer.state is EventState.APPLIED  # type: ignore[arg-type]
    assert len(house.post.take("match_payment")) == 1
