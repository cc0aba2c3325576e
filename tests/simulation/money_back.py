"""Refunds in a tenant's day: people who ask and approve, a partner that makes them, and what must be so."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from math import floor
from typing import Any, Final, cast

from shared.identity import TenantId
from shared.invoicing.records import read_invoice
from shared.invoicing.rules.accounts import vat_account
from shared.money import Money
from shared.payments.model import Stage
from shared.payments.records import payment_id
from shared.payments.refunds.model import IN_FLIGHT, Refund, RefundKind, RefundReason
from shared.payments.rules.accounts import REFUNDS_PAYABLE
from shared.payments.use_cases.refunds import RefundOrder as Order
from shared.ports import Document, Fields, tenant_ref
from tests.simulation.acquired_at_rest import was_closed
from tests.simulation.business import Business, answer
from tests.simulation.firestore import Change
from tests.simulation.invariants import Watch
from tests.simulation.partner import Refund as Refunded
from tests.simulation.people import Person
from tests.simulation.refunder import Made, Refunder
from tests.simulation.world import World

REQUESTS: Final = "refund_requests"
AT_ONCE: Final = 0.4
"""How often the partner knows at once that a refund is done."""
FAILS: Final = 0.25
"""How often one that it took on comes to nothing later."""
COMES_BACK: Final = 0.1
"""How often one that is done comes back from the payer's bank."""
PATIENT: Final = 60
"""How often somebody who gives back looks whether anything was paid."""
_FLYING: Final = {state.value for state in IN_FLIGHT}

Documents = Mapping[str, Mapping[str, Fields]]


# --- the partner -------------------------------------------------------------------------


def open_partner(business: Business) -> None:
    """The partner's books of refunds: it tells of each when it knows what became of it."""
    world, stripe = business.cloud.world, business.stripe

    def begins_as() -> Stage:
        return Stage.SUCCEEDED if world.random.random() < AT_ONCE else Stage.PENDING

    def made(one: Made) -> None:
        payment, refund = one.order.payment.reference, Refunded(one.reference, one.order.money.amount, failed=False)
        stripe.gave_back_for_us(payment, refund)
        if one.stage is Stage.SUCCEEDED:
            stripe.tells(payment, refund, "refund.created")
        if one.stage is Stage.PENDING or world.random.random() < COMES_BACK:
            world.after(world.random.expovariate(1 / 3_000), lambda: _ends(business, partner, one))

    partner = Refunder(lambda: world.now, stripe.left_for_us, begins_as, made)
    business.cloud.partners[business.tenant] = partner


def _ends(business: Business, partner: Refunder, made: Made) -> None:
    failed = made.stage is Stage.SUCCEEDED or business.cloud.world.random.random() < FAILS
    partner.ends(made.reference, Stage.FAILED if failed else Stage.SUCCEEDED)
    payment, refund = made.order.payment.reference, Refunded(made.reference, made.order.money.amount, failed=failed)
    if failed:
        business.stripe.came_back(payment, refund)
    else:
        business.stripe.tells(payment, refund, "refund.updated")


# --- the people --------------------------------------------------------------------------


def giving_back(person: Person, business: Business) -> None:
    """Some of some payments, as a sale or as a credit; somebody else approves, rejects, or it is thought better of."""
    random = business.cloud.world.random
    for _ in range(random.randint(2, 5)):
        for _ in range(PATIENT):
            if business.stripe.payments:
                break
            person.think(10)
        else:
            return  # nobody pays today
        name = random.choice(sorted(business.stripe.payments))
        most, currency = business.stripe.payments[name].amount, business.stripe.payments[name].currency.upper()
        amount = random.choice((most, random.randint(1, most), random.randint(1, most)))
        kind = random.choice((RefundKind.INVOICE, RefundKind.INVOICE, RefundKind.CREDIT))
        order = Order(payment_id("stripe", name), kind, RefundReason.REQUESTED_BY_CUSTOMER, Money(amount, currency))
        refund = answer(person.ask("POST /v1/refunds", _request(order)))
        if refund is None:
            person.think(10)
            continue
        if random.random() < 0.8:
            business.employ("second", partial(_decides, refund=refund), after=60)
        if random.random() < 0.2:
            person.think(random.choice((0.1, 5)))
            person.ask("POST /v1/refunds/cancel", _cancel(refund.id))
        person.think(5)


def _decides(person: Person, _: Business, *, refund: Refund) -> None:
    if person.cloud.world.random.random() < 0.15:
        person.ask("POST /v1/refunds/reject", lambda house, call: house.refunds.reject(call, refund.id))
    person.ask("POST /v1/refunds/approve", lambda house, call: house.refunds.approve(call, refund.id))


def _request(order: Order) -> Callable[[Any, Any], Any]:
    return lambda house, call: house.refunds.request(call, order)


def _cancel(refund: str) -> Callable[[Any, Any], Any]:
    return lambda house, call: house.refunds.cancel(call, refund)


# --- what must be so ---------------------------------------------------------------------


@dataclass
class Payable:
    """After every commit, what is owed to payers is what refunds on their way come to; no refund goes back a step."""

    world: World
    watch: Watch
    flying: Counter[str] = field(default_factory=Counter)

    def look(self, changes: Sequence[Change]) -> None:
        """Judge a commit; the watch has counted its entries."""
        touched = set()
        for change in changes:
            state = change.after or change.before
            if state is None or state.collection != REQUESTS:
                continue
            tenant = state.name.split("/documents/")[1].split("/")[1]
            touched.add(tenant)
            for one, sign in ((change.before, -1), (change.after, 1)):
                if one is not None and one.fields["state"] in _FLYING:
                    self.flying[tenant] += sign * cast("int", one.fields["amount"])
        for tenant in sorted(touched):
            stands = self.watch.stands(TenantId(tenant), REFUNDS_PAYABLE)
            if stands != self.flying[tenant]:
                self.world.violated(f"refunds payable stand at {stands}, refunds on their way at {self.flying[tenant]}")


def resting(cloud_documents: Mapping[str, Any]) -> bool:
    """Whether no refund is on its way."""
    return not any(
        one.collection == REQUESTS and one.fields["state"] in _FLYING for one in cloud_documents.values() if one
    )


def refunds_at_rest(business: Business, documents: Documents, watch: Watch) -> None:
    """Each was made once or not at all, as the partner says; sales and taxes are taken back in proportion."""
    for problem in (*_as_made(business, documents), *_in_proportion(business, documents, watch)):
        business.cloud.world.violated(problem)


def _as_made(business: Business, documents: Documents) -> Iterator[str]:
    made = business.cloud.partners[business.tenant].by_key
    refunds = documents.get(REQUESTS, {})
    if unknown := set(made) - set(refunds):
        yield f"the partner made {len(unknown)} refunds that we do not know"
    for key, refund in refunds.items():
        reached = key in made and made[key].stage is not Stage.FAILED
        kept_as_it_was = key in made and refund["state"] == "succeeded" and _too_late(made[key], documents)
        if reached is not (refund["state"] == "succeeded") and not kept_as_it_was:
            yield f"a refund is {refund['state']!s}; the partner made it: {reached}"
        if key in made and made[key].order.money.amount != refund["amount"]:
            yield "the partner made a refund of another amount"
    for tally in documents.get("refund_tallies", {}).values():
        if tally["flying"]:
            yield "a tally holds what is on its way no more"


def _too_late(made: Made, documents: Documents) -> bool:
    """Whether the partner's word that a refund failed was refused on the record, since its month was closed."""
    failures = (one for one in documents.get("inbox", {}).values() if one["kind"] == "refund_failed")
    told = [one for one in failures if one["object"] == made.reference and one["state"] == "refused"]
    return any(cast("Fields", one["refusal"])["code"] == "period_closed" and was_closed(one, documents) for one in told)


def _in_proportion(business: Business, documents: Documents, watch: Watch) -> Iterator[str]:
    owed: Counter[str] = Counter()
    back: Counter[str] = Counter()
    for refund in documents.get(REQUESTS, {}).values():
        if refund["kind"] == "invoice" and refund["state"] == "succeeded":
            back[str(refund["invoice_id"])] += cast("int", refund["amount"])
    for key, fields in documents.get("invoices", {}).items():
        if fields["state"] in {"draft", "void"}:
            continue
        ref = tenant_ref(business.tenant, "invoices", key)
        invoice = read_invoice(Document(ref, fields, "", business.cloud.world.now))
        if invoice.corrected != back[key]:
            yield f"an invoice is corrected by {invoice.corrected}, its refunds come to {back[key]}"
        for row in invoice.breakdown:
            back_of_it = Fraction(row.tax.amount * invoice.corrected, invoice.gross.amount)
            owed[vat_account(row.country)] += row.tax.amount - floor(back_of_it + Fraction(1, 2))
    for account, wanted in owed.items():
        if (stands := watch.stands(business.tenant, account)) != wanted:
            yield f"{account} stands at {stands}, invoices and refunds at {wanted}"


def ours_succeeded(documents: Documents, payment: str) -> int:
    """How much of a payment went back by refunds that we asked for."""
    refunds = documents.get(REQUESTS, {}).values()
    mine = (one for one in refunds if one["payment_id"] == payment and one["state"] == "succeeded")
    return sum(cast("int", one["amount"]) for one in mine)
