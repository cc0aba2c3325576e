"""Invoices are issued once, under the next number, in one commit with their entry, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import cast

import pytest

from shared import counters
from shared.customers.model import CustomerKind
from shared.faults import Invalid, NotSupported, Refused
from shared.gcp.rpc import RpcFailed
from shared.identity import TenantId
from shared.invoicing.model import DraftInvoice, Invoice, InvoiceState
from shared.invoicing.records import number_ref, series_ref
from shared.invoicing.refusals import NothingToPay, UnknownCustomer, UnknownInvoice, WrongState
from shared.invoicing.rules.ageing import Age
from shared.ledger.rules.control import Control
from shared.limits import AMOUNT_MINOR
from shared.ports import Query
from shared.tax.model import Supply
from shared.tax.refusals import TaxNotDetermined
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.lines import Commit, Switch, held, lost, lost_then, unsent
from tests.unit.invoicing.drafts import a_draft, a_line

VAT = "liabilities:vat:gb"
DIGITAL = Supply.DIGITAL_SERVICE


def numbers(house: Instance) -> list[str]:
    """The numbers given, in order."""
    return sorted(document.ref.key for document in house.store.query(Query("invoice_numbers", ACME)).documents)


def last_number(house: Instance) -> int:
    """The last number of the series."""
    document = house.store.get([series_ref(ACME)])[series_ref(ACME)]
    return cast("int", document["last"]) if document else 0


def everything(house: Instance) -> dict[str, int]:
    """How many documents stand in each collection that drafting and issuing write."""
    kinds = ("invoices", "invoice_numbers", "entries", "audit", "idempotency", "outbox", "totals")
    return {kind: len(house.store.query(Query(kind, ACME)).documents) for kind in kinds}


# --- one at a time -----------------------------------------------------------------------


def test_an_issued_invoice_stands_in_the_books_under_its_number(house: Instance) -> None:
    """Receivable, sales and VAT of 100.00 at 20 %; the entry carries the number."""
    invoice = house.an_invoice()
    assert (invoice.number, invoice.issued_on, invoice.due_on) == ("INV-2026-000001", NOON.date(), date(2026, 12, 16))
    assert [house.balance(code) for code in ("assets:receivable", "revenue:sales", VAT)] == [12_000, 10_000, 2_000]
    (entry,) = house.books.entries(ACME, "revenue:sales", 10, None).items
    assert (entry.entry.reference, entry.entry.effective_on) == (invoice.number, invoice.issued_on)
    number = house.store.get([number_ref(ACME, invoice.number)])[number_ref(ACME, invoice.number)]
    assert number is not None
    assert number["invoice_id"] == invoice.id
    assert house.proven()


def test_the_same_key_twice_is_one_number(house: Instance, another: More) -> None:
    """A retry is answered the invoice that it made, on any instance."""
    draft = house.a_draft("d", house.a_customer())
    call = a_call("issue", once=True)
    done = house.invoicing.issue(call, draft)
    for instance in (house, another()):
        again = instance.invoicing.issue(call, draft)
        assert (again.replayed, again.answer) == (True, done.answer)
    assert (numbers(house), last_number(house)) == (["INV-2026-000001"], 1)


def test_two_keys_at_once_issue_one_invoice(house: Instance, another: More) -> None:
    """One wins; the other is told that it is issued; no number is lost."""
    draft = house.a_draft("d", house.a_customer())
    instances = [another() for _ in range(4)]

    def issue(number: int) -> str:
        call = a_call(f"issue-{number}", once=True)
        try:
            house.again(lambda: instances[number % 4].invoicing.issue(call, draft))
        except WrongState:
            return "refused"
        return "issued"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(issue, range(8))) == ["issued"] + ["refused"] * 7
    assert (numbers(house), last_number(house), house.balance("revenue:sales")) == (["INV-2026-000001"], 1, 10_000)
    assert house.proven()


def test_an_issued_invoice_is_not_issued_again(house: Instance) -> None:
    """Another key finds it issued, and leaves no trace."""
    invoice = house.an_invoice()
    before = everything(house)
    with pytest.raises(WrongState):
        house.invoicing.issue(a_call("other", once=True), invoice.id)
    assert everything(house) == before


def test_issuing_costs_two_reads_and_one_commit(house: Instance) -> None:
    """Counted: draft and series and the key's trace, then the customer; then all in one commit."""
    customer = house.a_customer()
    for number in range(40):
        house.an_invoice(f"warm-{number}", customer)
    draft = house.a_draft("hot", customer)
    spent = counters.begin()
    house.invoicing.issue(a_call("hot", once=True), draft)
    assert (spent.reads, spent.rpcs, spent.writes, spent.deletes) == (4, 3, 11, 0)


# --- numbers -----------------------------------------------------------------------------


def test_forty_drafts_by_eight_threads_are_numbered_without_a_gap(house: Instance, another: More) -> None:
    """Each number once, none missing, dates never decreasing along them though clocks differ."""
    customer = house.a_customer()
    drafts = [house.a_draft(str(number), customer) for number in range(40)]
    instances = [another() for _ in range(8)]

    def issue(number: int) -> Invoice:
        at = NOON + timedelta(days=number % 3)
        return instances[number % 8].issued(a_call(f"issue-{number}", at=at, once=True), drafts[number])

    with ThreadPoolExecutor(8) as pool:
        invoices = sorted(pool.map(issue, range(40)), key=lambda invoice: invoice.number)
    assert [invoice.number for invoice in invoices] == [f"INV-2026-{number:06d}" for number in range(1, 41)]
    assert numbers(house) == [invoice.number for invoice in invoices]
    dates = [invoice.issued_on for invoice in invoices]
    assert dates == sorted(dates)
    assert (house.balance("revenue:sales"), house.proven()) == (400_000, True)


def test_an_instance_whose_clock_is_behind_dates_no_invoice_back(house: Instance) -> None:
    """The date is the series' last one; tax and entry follow it."""
    house.issued(a_call("first", at=NOON + timedelta(days=20), once=True), house.a_draft("a", house.a_customer("a")))
    late = house.issued(a_call("second", once=True), house.a_draft("b", house.a_customer("b")))
    assert (late.number, late.issued_on) == ("INV-2026-000002", date(2026, 12, 6))
    assert house.balance("revenue:sales", "2026-11") == 0
    assert house.balance("revenue:sales", "2026-12") == 20_000


def test_the_rate_is_that_of_the_date_on_the_invoice(house: Instance) -> None:
    """A clock behind a change of rates taxes nothing at yesterday's: Estonia, 22 % until June 2025, then 24 %."""
    july, june = (datetime(2025, month, day, 12, tzinfo=UTC) for month, day in ((7, 1), (6, 30)))
    consumer = house.a_customer("ee", country="EE", kind=CustomerKind.CONSUMER)
    first, behind = (house.a_draft(key, consumer, replace(a_draft(), supply=DIGITAL)) for key in ("first", "behind"))
    house.issued(a_call("first", at=july, once=True), first)
    late = house.issued(a_call("behind", at=june, once=True), behind)
    assert (late.issued_on, late.tax.amount) == (july.date(), 2_400)


# --- refused -----------------------------------------------------------------------------


def test_a_customer_of_another_tenant_is_unknown(house: Instance) -> None:
    """Knowing the id is no key: neither a customer nor a draft can be reached from elsewhere."""
    rival = TenantId("rival")
    house.open_books(rival)
    theirs = house.a_customer("theirs", rival)
    with pytest.raises(UnknownCustomer):
        house.a_draft("d", theirs)
    draft = house.a_draft("ours", house.a_customer())
    with pytest.raises(UnknownInvoice):
        house.invoicing.issue(a_call("steal", tenant=rival, once=True), draft)
    with pytest.raises(UnknownInvoice):
        house.invoicing.invoice(rival, draft)


@pytest.mark.parametrize(
    ("country", "refusal"), [("CH", (NotSupported, TaxNotDetermined)), ("US", (NotSupported, TaxNotDetermined))]
)
def test_where_tax_cannot_be_told_no_number_is_used(
    house: Instance, country: str, refusal: tuple[type[Refused], ...]
) -> None:
    """No figure without a source: the draft stays a draft, and the next invoice gets the next number."""
    abroad = house.a_customer("abroad", country=country)
    draft = house.a_draft("abroad", abroad, replace(a_draft(), supply=DIGITAL))
    before = everything(house)
    with pytest.raises(refusal):
        house.invoicing.issue(a_call("issue", once=True), draft)
    assert everything(house) == before
    assert house.an_invoice().number == "INV-2026-000001"


def test_nothing_to_pay_is_no_invoice(house: Instance) -> None:
    """A draft of zero is not issued and uses no number."""
    draft = house.a_draft("zero", house.a_customer(), a_draft(a_line(0)))
    with pytest.raises(NothingToPay):
        house.invoicing.issue(a_call("issue", once=True), draft)
    assert last_number(house) == 0


@pytest.mark.parametrize(
    "draft",
    [
        a_draft(a_line(AMOUNT_MINOR, "2")),
        a_draft(a_line(AMOUNT_MINOR), a_line(1)),
    ],
    ids=["line", "sum"],
)
def test_a_draft_beyond_the_largest_amount_is_refused_before_it_is_stored(house: Instance, draft: DraftInvoice) -> None:
    """What could never be shown or issued leaves no trace."""
    customer = house.a_customer()
    before = everything(house)
    with pytest.raises(Invalid):
        house.a_draft("huge", customer, draft)
    assert everything(house) == before


def test_a_closed_period_refuses_under_the_key_and_uses_no_number(house: Instance, another: More) -> None:
    """The refusal is a fact: the same key is answered it again, another key may issue once the day is open."""
    draft = house.a_draft("d", house.a_customer())
    house.an_invoice()
    house.controls.run(a_call("close"), Control.HARD_CLOSE, "2026-11")
    call = a_call("issue", once=True)
    for instance in (house, house, another()):
        with pytest.raises(Refused) as refusal:
            instance.invoicing.issue(call, draft)
        assert refusal.value.code == "period_closed"
    assert house.invoicing.invoice(ACME, draft).state is InvoiceState.DRAFT
    assert (numbers(house), last_number(house)) == (["INV-2026-000001"], 1)
    december = a_call("december", at=NOON + timedelta(days=20), once=True)
    assert house.issued(december, draft).number == "INV-2026-000002"
    assert house.proven()


# --- answers lost, instances killed ------------------------------------------------------


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_commit_without_an_answer_gives_one_number(house: Instance, fault: Switch) -> None:
    """Whether it landed or not; and the announcement goes out."""
    draft = house.a_draft("d", house.a_customer())
    house.line.commits.append(fault)
    invoice = house.invoicing.issue(a_call("issue", once=True), draft).answer
    assert isinstance(invoice, Invoice)
    assert (numbers(house), last_number(house)) == ([invoice.number], 1)
    assert [one.subject for one in house.post.told.values()] == [invoice.id]
    assert house.proven()


def test_a_commit_that_lands_late_finds_its_number_taken(house: Instance) -> None:
    """Held up on its way while the next try was issued: it is turned away, and no number is doubled."""
    draft, late = house.a_draft("d", house.a_customer()), list[Commit]()
    house.line.commits.append(held(late, then=lambda: None))
    house.invoicing.issue(a_call("issue", once=True), draft)
    with pytest.raises(RpcFailed):
        late[0]()
    assert (numbers(house), last_number(house), house.proven()) == (["INV-2026-000001"], 1, True)


def test_issued_but_unanswered_it_stays_issued_though_the_month_closes(house: Instance, another: More) -> None:
    """The invoice lands, its answer is lost, the month closes: the answer is the invoice."""
    draft, other = house.a_draft("d", house.a_customer()), another()
    house.line.commits.append(
        lost_then(lambda: other.controls.run(a_call("close"), Control.HARD_CLOSE, "2026-11")),
    )
    assert house.invoicing.issue(a_call("issue", once=True), draft).answer.state is InvoiceState.ISSUED
    assert house.proven()


def test_killed_at_any_moment_the_same_key_ends_in_one_invoice(house: Instance, another: More) -> None:
    """Dead between any two calls to store and bus: asked again, it has one number and was announced."""
    customer = house.a_customer()
    for moment in range(20):
        draft, call, fate = house.a_draft(str(moment), customer), a_call(f"issue-{moment}", once=True), Fate()
        mortal, fate.left = another(fate), moment
        try:
            mortal.invoicing.issue(call, draft)
        except Killed:
            killed = True
        else:
            killed = False
        invoice = house.issued(call, draft)
        assert invoice.number == f"INV-2026-{moment + 1:06d}"
        assert invoice.id in {one.subject for one in (mortal.post.told | house.post.told).values()}
        if not killed:
            break
    assert not killed
    assert moment > 4, "reading, committing and telling have more moments"
    assert (len(numbers(house)), house.proven()) == (moment + 1, True)


# --- lists -------------------------------------------------------------------------------


def test_receivables_are_what_invoices_say_is_open(house: Instance) -> None:
    """Aged by due date, drafts left out."""
    customer = house.a_customer()
    house.an_invoice("a", customer)
    house.an_invoice("b", customer)
    house.a_draft("c", customer)
    ages = house.invoicing.receivables_by_age(ACME, date(2026, 12, 17))
    assert ages["GBP"][Age.DAYS_1_TO_30].amount == 24_000
    assert sum(money.amount for money in ages["GBP"].values()) == house.balance("assets:receivable", "2026-12")


def test_invoices_are_listed_by_state_and_customer(house: Instance) -> None:
    """Every one on one page exactly."""
    one, two = house.a_customer("1"), house.a_customer("2")
    issued = {house.an_invoice(f"i{number}", one).id for number in range(3)}
    drafted = {house.a_draft(f"d{number}", two) for number in range(3)}
    assert {item.id for item in house.invoicing.page(ACME, {"state": "issued"}, 10, None).items} == issued
    assert {item.id for item in house.invoicing.page(ACME, {"customer_id": two}, 10, None).items} == drafted
    listed: list[str] = []
    cursor: str | None = None
    while True:
        page = house.invoicing.page(ACME, {}, 2, cursor)
        listed += [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert listed == sorted(issued | drafted)
