"""Refunds that we ask for: approved by another, reserved in the books, sent once, and confirmed once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.faults import Kind, Refused
from shared.invoicing.model import InvoiceState
from shared.ledger.rules.control import Control
from shared.payments.model import EventState, PaymentState, Stage
from shared.payments.refunds.model import RefundState
from shared.payments.refunds.refusals import ApproverRequested, RefundExceedsPayment, UnknownRefund, WrongRefundState
from shared.payments.refusals import NotAskable, PartnerRefused, UnknownPayment
from shared.payments.rules.accounts import REFUNDS_PAYABLE, UNAPPLIED_CASH
from tests.builders import ACME, NOON, a_call
from tests.emulator.instances import Instance, More
from tests.emulator.payments.accounts import CREDIT, RECEIVABLE
from tests.emulator.payments.refunding import CLEARING, SALES, SOLD, VAT, Office, begun_as
from tests.unit.invoicing.drafts import a_draft, a_line
from tests.unit.payments.test_refund_rules import a_refund

S = RefundState


@pytest.fixture
def office(house: Instance) -> Office:
    """Refunds, where every amount needs approval."""
    return Office(house)


def refused(refusal: "pytest.ExceptionInfo[Refused]") -> tuple[str, Kind]:
    """Code and kind."""
    return refusal.value.code, refusal.value.kind


# --- the plain line ----------------------------------------------------------------------


def test_a_refund_takes_the_sale_back_in_proportion(house: Instance, office: Office) -> None:
    """Asked for nothing moves; approved it is owed to the payer; confirmed the partner has paid it."""
    invoice = house.an_invoice()
    office.paid(invoice=invoice)
    asked = office.ask().answer
    assert (asked.state, office.sale()) == (S.AWAITING_APPROVAL, {**SOLD, CLEARING: 12_000})
    refund = office.approve(asked)
    assert (refund.state, refund.approved_by, refund.net, refund.tax) == (S.APPROVED, "user:bob", 5_000, 1_000)
    half = {SALES: 5_000, VAT: 1_000}
    assert office.sale() == {**half, CLEARING: 12_000, REFUNDS_PAYABLE: 6_000}
    assert office.send(refund).state is S.SENT
    assert office.confirm(refund).state is EventState.APPLIED
    assert office.sale() == {**half, CLEARING: 6_000}
    now = office.invoice(invoice)
    assert (now.state, now.paid, now.corrected, now.open.amount) == (InvoiceState.PAID, 6_000, 6_000, 0)
    assert office.payment().state is PaymentState.PARTLY_REFUNDED
    assert office.announced(refund) == ["refund.requested", "refund.approved", "refund.sent", "refund.succeeded"]
    assert house.proven()


def test_up_to_the_tenants_amount_nobody_else_is_asked(house: Instance, office: Office) -> None:
    """60.00 goes at once, 60.01 does not; a currency without an amount always waits."""
    office.refunds.set_limits(a_call("limits", once=True), {"GBP": 6_000})
    assert office.refunds.limits(ACME) == {"GBP": 6_000}
    office.paid(24_000, invoice=house.an_invoice())
    at_once = office.ask(6_000).answer
    assert (at_once.state, at_once.approved_by) == (S.APPROVED, "")
    assert office.announced(at_once) == ["refund.requested", "refund.approved"]
    assert office.ask(6_001, "credit", key="more").answer.state is S.AWAITING_APPROVAL
    assert office.sent(at_once).state is S.SENT


def test_approval_by_the_same_principal_is_refused(house: Instance, office: Office) -> None:
    """Whatever key they hold; and it stays refused under the same Idempotency-Key."""
    office.paid(invoice=house.an_invoice())
    asked = office.ask().answer
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            office.approve(asked, by="user:ann")
        assert refused(refusal) == (ApproverRequested.code, Kind.FORBIDDEN)
    assert (office.now(asked).state, office.house.post.take("send_refund")) == (S.AWAITING_APPROVAL, [])


@pytest.mark.parametrize("verb", ["reject", "cancel"])
def test_what_is_given_up_before_approval_moves_nothing(house: Instance, office: Office, verb: str) -> None:
    """And makes room for another."""
    office.paid(invoice=house.an_invoice())
    asked = office.ask(12_000).answer
    done = getattr(office.refunds, verb)(a_call(verb, once=True), asked.id).answer
    assert done.state in {S.REJECTED, S.CANCELLED}
    with pytest.raises(Refused) as refusal:
        office.approve(asked)
    assert refused(refusal) == (WrongRefundState.code, Kind.CONFLICT)
    assert office.approved(12_000, key="again").state is S.APPROVED


def test_what_is_cancelled_before_it_is_sent_is_undone(house: Instance, office: Office) -> None:
    """By entries of its own; its command finds nothing to do."""
    invoice = house.an_invoice()
    office.paid(invoice=invoice)
    refund = office.approved()
    office.refunds.cancel(a_call("cancel", once=True), refund.id)
    assert office.send(refund).state is S.CANCELLED
    assert (office.sale(), office.partner.asked) == ({**SOLD, CLEARING: 12_000}, [])
    assert (office.invoice(invoice).corrected, office.payment().refunded, house.proven()) == (0, 0, True)
    office.send(office.approved(key="another"))
    with pytest.raises(Refused) as refusal:
        office.refunds.cancel(a_call("late", once=True), office.ask(6_000, key="another").answer.id)
    assert refusal.value.code == WrongRefundState.code


def test_what_is_not_there_is_not_refunded(office: Office) -> None:
    """No payment, no refund."""
    with pytest.raises(Refused) as refusal:
        office.ask(payment="nobody")
    assert refused(refusal) == (UnknownPayment.code, Kind.NOT_FOUND)
    with pytest.raises(Refused) as refusal:
        office.approve(a_refund(id="r-9"))
    assert refused(refusal) == (UnknownRefund.code, Kind.NOT_FOUND)


def test_a_request_refused_before_its_payment_came_is_not_carried_out_by_a_late_copy(office: Office) -> None:
    """Who was told no may have asked anew; seen by the simulator (seed 910112)."""
    office.refunds.set_limits(a_call("limits", once=True), {"GBP": 6_000})
    with pytest.raises(UnknownPayment):
        office.ask(kind="credit")
    office.paid()
    with pytest.raises(Refused) as refusal:
        office.ask(kind="credit")
    assert refused(refusal) == (UnknownPayment.code, Kind.NOT_FOUND)
    assert office.payment().refunded == 0
    assert office.ask(kind="credit", key="anew").answer.state is S.APPROVED


# --- the named cases ---------------------------------------------------------------------


def test_a_refund_of_a_zero_tax_order(house: Instance, office: Office) -> None:
    """No line is posted of a tax that there is not; all of the sale is gone at the end."""
    draft = house.a_draft("zero", house.a_customer("zero"), a_draft(a_line(category=a_line().category.ZERO)))
    office.paid(10_000, invoice=house.issued(a_call("issue-zero", once=True), draft))
    refund = office.approved(10_000)
    assert (refund.net, refund.tax) == (10_000, 0)
    office.send(refund)
    office.confirm(refund)
    assert (office.sale(), house.proven()) == ({}, True)


def test_a_refund_reversed_twice(house: Instance, office: Office) -> None:
    """The partner tells twice, in two events, that it failed: the sale is put back once."""
    invoice = house.an_invoice()
    office.paid(invoice=invoice)
    refund = office.approved()
    office.send(refund)
    office.confirm(refund)
    states = [office.confirm(refund, "refund.failed").state for _ in range(2)]
    assert states == [EventState.APPLIED, EventState.STALE]
    assert (office.now(refund).state, office.now(refund).failure) == (S.FAILED, "refund.failed")
    assert office.sale() == {**SOLD, CLEARING: 12_000}
    assert (office.invoice(invoice).corrected, office.payment().refunded, house.proven()) == (0, 0, True)


def test_a_wallet_credited_twice(house: Instance, office: Office) -> None:
    """5.00 too much were paid: the credit goes back once, and when that fails it is credit once again."""
    invoice = house.an_invoice()
    office.paid(12_500, invoice=invoice)
    refund = office.approved(500, "credit")
    assert (refund.from_credit, office.sale()[REFUNDS_PAYABLE], CREDIT in office.sale()) == (500, 500, False)
    with pytest.raises(Refused) as refusal:
        office.ask(1, "credit", key="more")
    assert refusal.value.code == RefundExceedsPayment.code
    office.send(refund)
    for name in ("refund.succeeded", "refund.failed", "refund.failed", "refund.succeeded"):
        office.confirm(refund, name)
    assert office.sale() == {**SOLD, CLEARING: 12_500, CREDIT: 500}
    assert (office.invoice(invoice).credited, office.payment().refunded, house.proven()) == (500, 0, True)


def test_what_found_no_invoice_is_given_back_as_credit(house: Instance, office: Office) -> None:
    """It is no sale, so none is taken back."""
    office.paid(700)
    refund = office.approved(700, "credit")
    assert office.sale() == {CLEARING: 700, REFUNDS_PAYABLE: 700}
    office.send(refund)
    office.confirm(refund, "refund.failed")
    assert office.sale() == {CLEARING: 700, UNAPPLIED_CASH: 700}
    assert house.proven()


def test_two_refunds_at_once_exceed_the_payment(house: Instance, office: Office, another: More) -> None:
    """Of eight who ask for two thirds, one has it; the others are refused."""
    office.paid(invoice=house.an_invoice())
    offices = [office, *(office.elsewhere(another()) for _ in range(3))]

    def ask(number: int) -> str:
        try:
            return str(house.again(lambda: offices[number % 4].ask(8_000, key=f"at-once-{number}")).answer.state.value)
        except Refused as refusal:
            return refusal.code

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(ask, range(8)))
    assert answers == ["awaiting_approval", *["refund_exceeds_payment"] * 7]


def test_what_the_partner_refunds_beside_us_counts(house: Instance, office: Office) -> None:
    """Told of 100.00 between request and approval: 60.00 are not left, and the approval is refused."""
    office.paid(invoice=house.an_invoice())
    asked = office.ask().answer
    office.told("refund.succeeded", object="by-hand", amount=10_000)
    with pytest.raises(Refused) as refusal:
        office.approve(asked)
    assert refused(refusal) == (RefundExceedsPayment.code, Kind.CONFLICT)
    assert office.sale() == {**SOLD, CLEARING: 2_000, RECEIVABLE: 10_000}


# --- the partner -------------------------------------------------------------------------


def test_a_partner_that_says_no_undoes_it(house: Instance, office: Office) -> None:
    """Its word is kept; sale, invoice and payment are as they were."""
    office.paid(invoice=house.an_invoice())
    office.partner.refuses = "insufficient_funds"
    refund = office.send(office.approved())
    assert (refund.state, refund.failure) == (S.FAILED, "insufficient_funds")
    assert (office.sale(), house.proven()) == ({**SOLD, CLEARING: 12_000}, True)
    assert office.announced(refund)[-1] == "refund.failed"


@pytest.mark.parametrize(("stage", "state"), [(Stage.SUCCEEDED, S.SUCCEEDED), (Stage.FAILED, S.FAILED)])
def test_a_partner_that_knows_at_once_is_believed(
    house: Instance, office: Office, stage: Stage, state: RefundState
) -> None:
    """Its webhook is no news then."""
    office = begun_as(office, stage)
    office.paid(invoice=house.an_invoice())
    refund = office.send(office.approved(12_000))
    assert refund.state is state
    assert office.sale() == ({} if state is S.SUCCEEDED else {**SOLD, CLEARING: 12_000})
    word = "refund.succeeded" if state is S.SUCCEEDED else "refund.failed"
    assert (office.confirm(refund, word).state, house.proven()) == (EventState.STALE, True)


def test_another_amount_than_we_asked_for_is_for_people(house: Instance, office: Office) -> None:
    """The event is refused on the record, and the refund stays on its way."""
    office.paid(invoice=house.an_invoice())
    refund = office.approved()
    office.send(refund)
    (task,) = office.tell("refund.succeeded", **{**office.about(refund), "amount": 5_999})
    with pytest.raises(Refused) as refusal:
        house.again(lambda: house.payments.apply(a_call("odd"), str(task.body["event"]), []))
    assert (refusal.value.code, office.now(refund).state) == ("refund_differs", S.SENT)


def test_a_key_that_is_missing_fails_a_refund_only_while_nobody_can_have_made_it(
    house: Instance, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked before, it stays on its way until the partner can be asked again; then it is made once."""
    office.paid(invoice=house.an_invoice())
    office.partner.deaf = 1
    refund = office.approved()
    with pytest.raises(Exception, match="did not answer"):
        office.send(refund)
    for fault in (NotAskable("no key"), PartnerRefused("who?", detail={"status": 401, "code": "api_key_expired"})):
        with monkeypatch.context() as gone:

            def ask(_: object, fault: Refused = fault) -> None:
                raise fault

            gone.setattr(office.partner, "refund", ask)
            with pytest.raises(type(fault)):
                office.send(refund)
            assert office.now(refund).state is S.SENDING
            fresh = office.approved(100, key=f"fresh-{fault.code}")
            assert office.send(fresh).state is S.FAILED
    assert office.send(refund).state is S.SENT
    assert len(office.partner.by_key) == 1


# --- the ledger says no ------------------------------------------------------------------


def test_what_the_ledger_refuses_is_not_approved(house: Instance, office: Office) -> None:
    """Recorded, and asked again under another key once the reason is gone."""
    office.paid(invoice=house.an_invoice())
    asked = office.ask().answer
    house.controls.run(a_call("freeze"), Control.FREEZE, SALES)
    with pytest.raises(Refused) as refusal:
        office.approve(asked)
    assert refusal.value.code == "account_frozen"
    house.controls.run(a_call("unfreeze"), Control.UNFREEZE, SALES)
    with pytest.raises(Refused):
        office.approve(asked)
    assert office.approve(asked, key="later").state is S.APPROVED


def test_a_confirmation_that_the_ledger_refuses_is_booked_by_the_sweep(house: Instance, office: Office) -> None:
    """The partner has made it; it stays sent until the books take it."""
    office = begun_as(office, Stage.SUCCEEDED)
    office.paid(invoice=house.an_invoice())
    refund = office.approved(12_000)
    house.controls.run(a_call("freeze"), Control.FREEZE, CLEARING)
    with pytest.raises(Refused):
        office.send(refund)
    assert office.now(refund).state is S.SENT
    house.controls.run(a_call("unfreeze"), Control.UNFREEZE, CLEARING)
    assert office.sweep(NOON + timedelta(hours=2)) == 1
    assert (office.now(refund).state, office.sale(), house.proven()) == (S.SUCCEEDED, {}, True)
