"""Payments are allocated to invoices by orders, on the real emulator: once, never more than there is, and undone."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from shared.faults import IdempotencyKeyReused, Kind, Refused
from shared.gcp.rpc import RpcFailed
from shared.invoicing.model import Invoice, InvoiceState
from shared.invoicing.refusals import UnknownInvoice, WrongState
from shared.ledger.rules.control import Control
from shared.payments.allocations import Allocation, AllocationState, Slice
from shared.payments.model import EventState
from shared.payments.records import payment_id
from shared.payments.refusals import (
    AllocationExceedsCash,
    AllocationExceedsOpen,
    AllocationUndone,
    CustomerDiffers,
    UnknownAllocation,
    UnknownPayment,
    WriteOffExceedsLimit,
)
from shared.payments.rules.accounts import UNAPPLIED_CASH, WRITE_OFFS
from shared.ports import Query
from tests.builders import ACME, a_call
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.lines import Commit, Switch, held, lost, unsent
from tests.emulator.payments.accounts import CLEARING, CREDIT, RECEIVABLE, balances, invoice_now, payment
from tests.emulator.payments.conftest import settle
from tests.emulator.payments.test_lifecycles import say
from tests.emulator.payments.test_lifecycles import settle as settle_standard
from tests.unit.invoicing.drafts import a_draft, a_line, pounds
from tests.unit.payments.stripe_events import paid, refunded

NOBODY: Final = "a" * 52


def some_invoices(house: Instance, count: int = 3, customer: str = "") -> list[Invoice]:
    """Invoices of one customer over 120.00 pounds each."""
    customer = customer or house.a_customer()
    return [house.an_invoice(f"i{place}", customer) for place in range(count)]


def order(house: Instance, key: str, slices: list[Slice], reference: str = "pi_1") -> Allocation:
    """Somebody allocates a payment, again while it is to be retried."""
    call = a_call(key, once=True, request_hash=f"hash-{slices}")
    allocated: Allocation = house.again(
        lambda: house.allocations.allocate(call, payment(house, reference).id, slices)
    ).answer
    return allocated


def undo(house: Instance, key: str, allocation: Allocation) -> Allocation:
    """Somebody takes it back."""
    call = a_call(key, once=True)
    undone: Allocation = house.again(lambda: house.allocations.undo(call, allocation.payment_id, allocation.id)).answer
    return undone


def audited(house: Instance, action: str) -> list[str]:
    """Who did this, by the audit records."""
    documents = house.store.query(Query("audit", ACME)).documents
    return [str(one["principal"]) for one in documents if one["action"] == action and not one["refused"]]


# --- the plain line ----------------------------------------------------------------------


def test_unapplied_cash_settles_several_invoices_in_one_commit(house: Instance) -> None:
    """Payment, invoices, books and announcement move together, and it is on record who said so."""
    first, second, third = some_invoices(house)
    settle(house, paid(amount=25_000))
    made = order(house, "a", [Slice(first.id, pounds(12_000)), Slice(second.id, pounds(8_000))])
    assert balances(house) == {CLEARING: 25_000, RECEIVABLE: 16_000, CREDIT: 0, UNAPPLIED_CASH: 5_000}
    assert [invoice_now(house, one).paid for one in (first, second, third)] == [12_000, 8_000, 0]
    now = payment(house)
    assert (now.matched, now.unapplied, now.customer) == (20_000, 5_000, first.customer_id)
    assert audited(house, "payment.allocate") == ["user:ann"]
    (told,) = [one for one in house.post.told.values() if one.type == "payment.allocated"]
    assert (told.subject, told.subject_version, told.data["taken"]) == (now.id, now.version, 20_000)
    listed = house.allocations.page(ACME, now.id, 10, None).items
    assert (list(listed), house.proven()) == ([made], True)


def test_a_prepayment_is_applied_to_a_later_invoice(house: Instance) -> None:
    """What is held as the customer's credit is used."""
    first, second, _ = some_invoices(house)
    settle(house, paid(amount=20_000, invoice=first.id))
    order(house, "a", [Slice(second.id, pounds(8_000))])
    assert balances(house) == {CLEARING: 20_000, RECEIVABLE: 16_000, CREDIT: 0, UNAPPLIED_CASH: 0}
    assert (invoice_now(house, first).credited, invoice_now(house, second).paid) == (0, 8_000)
    assert house.proven()


def test_an_allocation_is_undone_by_a_new_entry(house: Instance) -> None:
    """The first entry stands as it was; what it moved is moved back, once."""
    first, second, _ = some_invoices(house)
    settle(house, paid(amount=24_000))
    made = order(house, "a", [Slice(first.id, pounds(12_000)), Slice(second.id, pounds(12_000))])
    undone = undo(house, "u", made)
    assert (undone.state, undone.undone_by) == (AllocationState.UNDONE, "user:ann")
    assert balances(house) == {CLEARING: 24_000, RECEIVABLE: 36_000, CREDIT: 0, UNAPPLIED_CASH: 24_000}
    entries = [house.books.entry(ACME, key).entry for key in (made.entry_id, undone.undo_entry_id)]  # type: ignore[arg-type]
    moved = [{(line.account, line.money.amount) for line in entry.lines} for entry in entries]
    assert moved[0] == moved[1] == {(UNAPPLIED_CASH, 24_000), (RECEIVABLE, 24_000)}
    with pytest.raises(AllocationUndone):
        undo(house, "again", made)
    assert (invoice_now(house, first).state, house.proven()) == (InvoiceState.ISSUED, True)


def test_a_rest_below_the_limit_is_written_off(house: Instance) -> None:
    """Up to what the tenant allows in that currency; nothing before it does."""
    first, second, _ = some_invoices(house)
    settle(house, paid(amount=23_900))
    with pytest.raises(WriteOffExceedsLimit):
        order(house, "early", [Slice(first.id, pounds(11_950), write_off=True)])
    house.write_off_limits.set(a_call("limit", once=True), pounds(50))
    order(house, "a", [Slice(first.id, pounds(11_950), write_off=True)])
    with pytest.raises(WriteOffExceedsLimit):
        order(house, "b", [Slice(second.id, pounds(11_949), write_off=True)])
    now = invoice_now(house, first)
    assert (now.state, now.written_off, house.balance(WRITE_OFFS)) == (InvoiceState.PAID, 50, 50)
    assert (house.write_off_limits.all(ACME), house.proven()) == ((pounds(50),), True)
    house.write_off_limits.set(a_call("no more", once=True), pounds(0))
    with pytest.raises(WriteOffExceedsLimit):
        order(house, "c", [Slice(second.id, pounds(11_950), write_off=True)])


# --- refused -----------------------------------------------------------------------------


def test_what_cannot_be_allocated_is_refused_and_moves_nothing(house: Instance) -> None:
    """Each with its own reason, and the others of the order are not settled either."""
    first, second, _ = some_invoices(house)
    theirs = house.an_invoice("theirs")
    draft = house.a_draft("draft", first.customer_id)
    settle(house, paid(amount=15_000))
    some = Slice(first.id, pounds(100))
    for number, (slices, refusal) in enumerate(
        [
            ([some, Slice(second.id, pounds(12_001))], AllocationExceedsOpen),
            ([Slice(first.id, pounds(12_000)), Slice(second.id, pounds(3_001))], AllocationExceedsCash),
            ([some, Slice(theirs.id, pounds(100))], CustomerDiffers),
            ([some, Slice(draft, pounds(100))], WrongState),
            ([some, Slice(NOBODY, pounds(100))], UnknownInvoice),
        ]
    ):
        with pytest.raises(refusal):
            order(house, f"no-{number}", slices)
    with pytest.raises(UnknownPayment):
        house.allocations.allocate(a_call("nothing", once=True), NOBODY, [some])
    made = order(house, "yes", [some])
    with pytest.raises(UnknownAllocation):
        house.allocations.undo(a_call("elsewhere", once=True), NOBODY, made.id)
    assert balances(house) == {CLEARING: 15_000, RECEIVABLE: 47_900, CREDIT: 0, UNAPPLIED_CASH: 14_900}
    assert (payment(house).version, house.proven()) == (2, True)


def test_an_order_refused_before_its_payment_came_is_not_carried_out_by_a_late_copy(house: Instance) -> None:
    """It stays refused under its key; another one is a new order."""
    first, *_ = some_invoices(house)
    call, some, to = a_call("early", once=True), [Slice(first.id, pounds(100))], payment_id("stripe", "pi_1")
    with pytest.raises(UnknownPayment):
        house.allocations.allocate(call, to, some)
    settle(house, paid(amount=15_000))
    with pytest.raises(Refused) as refusal:
        house.allocations.allocate(call, to, some)
    assert (refusal.value.code, refusal.value.kind) == (UnknownPayment.code, Kind.NOT_FOUND)
    assert invoice_now(house, first).paid == 0
    order(house, "anew", some)
    assert invoice_now(house, first).paid == 100


def test_what_the_ledger_refuses_is_recorded_and_moves_nothing(house: Instance) -> None:
    """A closed month: the same refusal under the same key, also when the month is open again."""
    (first,) = some_invoices(house, 1)
    settle(house, paid())
    house.controls.run(a_call("close"), Control.SOFT_CLOSE, "2026-11")
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            order(house, "a", [Slice(first.id, pounds(12_000))])
        assert refusal.value.code == "period_closed"
    house.controls.run(a_call("reopen"), Control.REOPEN, "2026-11")
    with pytest.raises(Refused):
        order(house, "a", [Slice(first.id, pounds(12_000))])
    order(house, "b", [Slice(first.id, pounds(12_000))])
    assert (payment(house).unapplied, house.proven()) == (0, True)


def test_an_order_that_was_refused_is_never_carried_out_by_a_late_copy_of_it(house: Instance) -> None:
    """Refused for want of cash; then there is cash, and the same request comes again: it was answered."""
    first, second, _ = some_invoices(house)
    settle(house, paid(amount=12_000))
    made = order(house, "a", [Slice(first.id, pounds(12_000))])
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            order(house, "b", [Slice(second.id, pounds(12_000))])
        assert refusal.value.code == "allocation_exceeds_cash"
        if payment(house).shares:
            undo(house, "u", made)
    with pytest.raises(Refused) as refusal:
        undo(house, "again", made)
    assert (refusal.value.code, payment(house).unapplied) == ("allocation_undone", 12_000)
    order(house, "c", [Slice(second.id, pounds(12_000))])
    assert (invoice_now(house, second).paid, house.proven()) == (12_000, True)


# --- twice, at once, with a death in between ----------------------------------------------


def test_the_same_order_twice_allocates_once(house: Instance, another: More) -> None:
    """The same key answers the same, here and elsewhere; with another order it is refused."""
    (first,) = some_invoices(house, 1)
    settle(house, paid())
    slices = [Slice(first.id, pounds(5_000))]
    made = order(house, "a", slices)
    assert [order(instance, "a", slices) for instance in (house, another())] == [made, made]
    with pytest.raises(IdempotencyKeyReused):
        order(house, "a", [Slice(first.id, pounds(4_000))])
    assert (payment(house).matched, house.proven()) == (5_000, True)


def test_eight_orders_at_once_never_take_more_than_there_is(house: Instance, another: More) -> None:
    """Of 120.00 each wants 50.00 for an invoice of its own: two get it, six are refused."""
    customer = house.a_customer()
    bills = [house.an_invoice(f"i{place}", customer) for place in range(8)]
    settle(house, paid())
    instances = [another() for _ in range(4)]

    def ask(place: int) -> str:
        try:
            order(instances[place % 4], f"a{place}", [Slice(bills[place].id, pounds(5_000))])
        except Refused as refusal:
            return refusal.code
        return "made"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert sorted(answers) == ["allocation_exceeds_cash"] * 6 + ["made"] * 2
    assert balances(house) == {CLEARING: 12_000, RECEIVABLE: 86_000, CREDIT: 0, UNAPPLIED_CASH: 2_000}
    assert (sum(invoice_now(house, one).paid for one in bills), house.proven()) == (10_000, True)


def test_one_invoice_is_never_paid_twice_by_two_orders_at_once(house: Instance, another: More) -> None:
    """Two payments for one invoice: what is open caps them together."""
    (bill,) = some_invoices(house, 1)
    for reference in ("pi_1", "pi_2"):
        settle(house, paid(reference))
    instances = [house, another()]

    def ask(place: int) -> str:
        try:
            order(instances[place], f"a{place}", [Slice(bill.id, pounds(12_000))], f"pi_{place + 1}")
        except Refused as refusal:
            return refusal.code
        return "made"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(ask, range(2)))
    assert answers == ["allocation_exceeds_open", "made"]
    assert (invoice_now(house, bill).paid, house.balance(UNAPPLIED_CASH), house.proven()) == (12_000, 12_000, True)


@pytest.mark.parametrize("back", ["payment.reversed", "refund.succeeded"])
def test_an_order_that_races_money_going_back_leaves_the_books_right(house: Instance, another: More, back: str) -> None:
    """Whoever comes first: the cash is gone, the invoices are open, and nothing is counted twice."""
    first, second, _ = some_invoices(house)
    other = another()
    for number in range(4):
        name = f"p-{number}"
        settle_standard(house, say("payment.succeeded", payment=name, amount=12_000))
        reference = house.payments.page(ACME, 50, None)
        (known,) = [one for one in reference.items if one.reference == name]

        def ask(number: int = number, key: str = known.id) -> str:
            call = a_call(f"race-{number}", once=True)
            slices = [Slice(first.id, pounds(1_000)), Slice(second.id, pounds(1_000))]
            try:
                other.again(lambda: other.allocations.allocate(call, key, slices))
            except AllocationExceedsCash:
                return "refused"
            return "made"

        said = say(back, payment=name, object=f"o-{number}", amount=12_000)
        with ThreadPoolExecutor(2) as pool:
            asked = pool.submit(ask)
            told = pool.submit(settle_standard, house, said)
        assert told.result().state is EventState.APPLIED
        assert asked.result() in {"made", "refused"}
    assert [invoice_now(house, one).open.amount for one in (first, second)] == [12_000, 12_000]
    assert (house.balance("assets:clearing:standard"), house.balance(UNAPPLIED_CASH)) == (0, 0)
    assert (house.balance(RECEIVABLE), house.proven()) == (36_000, True)


def test_a_refund_takes_the_latest_allocation_first_through_an_event(house: Instance) -> None:
    """The partner's event gives back unapplied cash, then the last order's invoices, in one commit."""
    first, second, _ = some_invoices(house)
    settle(house, paid(amount=20_000))
    order(house, "a", [Slice(first.id, pounds(12_000))])
    order(house, "b", [Slice(second.id, pounds(6_000))])
    settle(house, refunded(amount=5_000, refund="re_1"))
    assert [invoice_now(house, one).paid for one in (first, second)] == [12_000, 3_000]
    settle(house, refunded(amount=15_000, refund="re_2"))
    assert [invoice_now(house, one).state for one in (first, second)] == [InvoiceState.ISSUED] * 2
    assert balances(house) == {CLEARING: 0, RECEIVABLE: 36_000, CREDIT: 0, UNAPPLIED_CASH: 0}
    assert (payment(house).shares, house.proven()) == ((), True)


@pytest.mark.parametrize("fault", [lost, unsent])
def test_an_order_whose_answer_is_lost_allocates_once(house: Instance, fault: Switch) -> None:
    """Whether it landed or not, it is answered as made."""
    (first,) = some_invoices(house, 1)
    settle(house, paid())
    house.line.commits.append(fault)
    made = order(house, "a", [Slice(first.id, pounds(5_000))])
    house.line.commits.append(fault)
    assert undo(house, "u", made).state is AllocationState.UNDONE
    assert (payment(house).version, payment(house).unapplied, house.proven()) == (3, 12_000, True)


def test_an_order_that_lands_late_finds_its_place_taken(house: Instance) -> None:
    """Held up on its way while the next try was applied: it is turned away."""
    (first,) = some_invoices(house, 1)
    settle(house, paid())
    late: list[Commit] = []
    house.line.commits.append(held(late, then=lambda: None))
    order(house, "a", [Slice(first.id, pounds(5_000))])
    with pytest.raises(RpcFailed):
        late[0]()
    assert (payment(house).unapplied, house.proven()) == (7_000, True)


@pytest.mark.parametrize("undoing", [False, True], ids=["allocate", "undo"])
def test_killed_at_any_moment_the_same_order_ends_in_the_same_state(
    house: Instance, another: More, *, undoing: bool
) -> None:
    """Dead between any two calls to store and bus: asked again, it happened once and everybody was told."""
    (first,) = some_invoices(house, 1, house.a_customer())
    settle(house, paid())
    for moment in range(30):
        fate = Fate()
        mortal = another(fate)
        made = order(house, f"before-{moment}", [Slice(first.id, pounds(100))]) if undoing else None

        def act(instance: Instance, moment: int = moment, made: Any = made) -> Allocation:
            if made:
                return undo(instance, f"u-{moment}", made)
            return order(instance, f"a-{moment}", [Slice(first.id, pounds(100))])

        fate.left = moment
        try:
            act(mortal)
        except Killed:
            killed = True
        else:
            killed = False
        fate.left = None
        act(house)
        told = [one.subject_version for one in (mortal.post.told | house.post.told).values()]
        assert payment(house).version in told
        if not killed:
            break
    assert not killed
    assert moment > 4, "reading, committing and telling have more moments"
    assert payment(house).matched == (0 if undoing else 100 * (moment + 1))
    assert (invoice_now(house, first).paid, house.proven()) == (payment(house).matched, True)


def test_an_order_over_fifty_invoices_is_one_commit(house: Instance) -> None:
    """The most that one order names, and all of it goes back at once."""
    customer = house.a_customer()
    drafts = [house.a_draft(f"m{place}", customer, a_draft(a_line(100))) for place in range(50)]
    bills = [house.issued(a_call(f"issue-m{place}", once=True), draft) for place, draft in enumerate(drafts)]
    settle(house, paid(amount=6_000))
    house.line.paths.clear()
    order(house, "a", [Slice(bill.id, pounds(120)) for bill in bills])
    assert house.line.paths.count("Commit") <= 2
    assert balances(house) == {CLEARING: 6_000, RECEIVABLE: 0, CREDIT: 0, UNAPPLIED_CASH: 0}
    settle(house, refunded(amount=6_000))
    assert balances(house) == {CLEARING: 0, RECEIVABLE: 6_000, CREDIT: 0, UNAPPLIED_CASH: 0}
    assert house.proven()
