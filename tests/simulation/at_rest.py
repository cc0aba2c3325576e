"""What must be so when everything was delivered and nothing fails any more."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from shared.customers.model import Customer
from shared.faults import Refused, Retryable
from shared.invoicing.model import DraftInvoice, Invoice
from shared.ledger.chart import INCOME_TAX_WITHHELD, NET_PAY, WAGES
from shared.ledger.records import RecordedEntry
from shared.ledger.rules.control import Operation
from shared.ledger.rules.holds import Hold
from shared.ledger.rules.monitors import Monitor
from shared.ledger.rules.proof_records import Proof
from shared.ledger.rules.seals import Leaf, leaf_of, plain_fields, read_leaves
from shared.ledger.use_cases.batches import BatchResult
from shared.ledger.use_cases.together import Result
from shared.payments.records import payment_id
from shared.payroll.runs import Employee, PayrollRun
from shared.ports import Fields
from tests.simulation.acquired_at_rest import acquired, was_closed
from tests.simulation.applied_at_rest import cash_at_rest
from tests.simulation.business import Business
from tests.simulation.invariants import Watch
from tests.simulation.money_back import ours_succeeded, refunds_at_rest
from tests.simulation.partner import Refund, Stripe, Truth
from tests.simulation.reports_at_rest import reports
from tests.simulation.sealed_at_rest import sealed
from tests.simulation.told_at_rest import told
from tests.simulation.world import World

PLACES: Final = ("holds", "monitors", "invoices", "customers", "employees", "payroll_runs")
"""Where what a client made is kept."""


def at_rest(business: Business, watch: Watch) -> None:
    """What must be so when everything was delivered and nothing fails any more."""
    _seal(business)
    documents = _documents(business)
    _outbox(business, documents, watch)
    _payments(business.stripe, documents)
    acquired(business, documents, watch)
    refunds_at_rest(business, documents, watch)
    cash_at_rest(business, documents, watch)
    _invoices(business, documents, watch)
    _payroll(business, documents)
    _wages(business, documents, watch)
    _years(business, documents, watch)
    _monitors(business, documents, watch)
    _answered(business, documents)
    _seals(business)
    sealed(business, documents)
    told(business, documents)
    reports(business, watch)
    _proof(business)


def _documents(business: Business) -> dict[str, dict[str, Fields]]:
    prefix = f"/documents/tenants/{business.tenant}/"
    found: dict[str, dict[str, Fields]] = defaultdict(dict)
    for name, state in business.cloud.store.documents.now().items():
        if prefix in name and name.split(prefix)[1].count("/") == 1:
            collection, key = name.split(prefix)[1].split("/")
            found[collection][key] = state.fields
    return found


def _outbox(business: Business, documents: Mapping[str, Mapping[str, Fields]], watch: Watch) -> None:
    if lost := watch.rows - watch.handed_over:
        business.cloud.world.violated(f"{len(lost)} messages were never handed over: {sorted(lost)[:2]}")
    if left := documents.get("outbox"):
        business.cloud.world.violated(f"{len(left)} rows of the outbox were never sent: {sorted(left)[:2]}")


def _payments(stripe: Stripe, documents: Mapping[str, Mapping[str, Fields]]) -> None:
    """Every event was applied or refused on the record, and the payments are what the partner knows."""
    world = stripe.cloud.world
    inbox = {key: event for key, event in documents.get("inbox", {}).items() if event["partner"] == "stripe"}
    for event in inbox.values():
        code = cast("Fields", event["refusal"])["code"] if event["state"] == "refused" else "period_closed"
        wrongly = event["state"] == "refused" and code == "period_closed" and not was_closed(event, documents)
        if code not in _MAY_BE_REFUSED or wrongly:
            world.violated(f"an event was refused: {code}")
    waiting = [key for key, event in documents.get("inbox", {}).items() if event["state"] == "received"]
    if waiting:
        world.violated(f"{len(waiting)} events were taken in and never applied")
    known_to_us = {str(event["event_id"]): event for event in inbox.values()}
    if set(known_to_us) != set(stripe.told):
        world.violated(f"{len(stripe.told)} events were told, {len(known_to_us)} are known")
        return
    every = documents.get("payments", {})
    payments = {key: payment for key, payment in every.items() if payment["partner"] == "stripe"}
    for name, truth in stripe.payments.items():
        told = {
            one: refund
            for one, (payment, refund) in stripe.told.items()
            if payment == name and (refund is None or refund.id not in stripe.ours)
        }
        key = payment_id("stripe", name)
        ours = ours_succeeded(documents, key)
        _as_told(world, name, truth, _Known(told, known_to_us, payments.get(key), ours))
    if len(payments) > len(stripe.payments):
        world.violated("there are payments that the partner never told of")
    receipts, came = documents.get("receipts", {}), {key for key, payment in every.items() if payment["received"]}
    if set(receipts) != came:
        world.violated(f"{len(came)} payments have {len(receipts)} receipts")


_MAY_BE_REFUSED: Final = frozenset({"period_closed", "payment_never_came", "refund_exceeds_payment"})
"""A day in a closed month; and a refund of what was refused for that, or for which a failure that was made no room."""


@dataclass(frozen=True)
class _Known:
    """Of one payment: the refund that each event told (None: that it came), our events, our payment."""

    told: Mapping[str, Refund | None]
    events: Mapping[str, Fields]
    payment: Fields | None
    ours: int
    """What was given back by us, and reached the payer."""

    def refused(self, event: str) -> str:
        """The code that an event was refused with; empty when it was not."""
        refusal = cast("Fields | None", self.events[event]["refusal"])
        return str(refusal["code"]) if refusal else ""

    def refunds(self, *, failed: bool) -> dict[str, int]:
        """The amounts of the refunds whose going, or failing, was told and not refused."""
        told = [(refund, event) for event, refund in self.told.items() if refund and refund.failed is failed]
        return {refund.id: refund.amount for refund, event in told if not self.refused(event)}


def _as_told(world: World, name: str, truth: Truth, known: _Known) -> None:
    """What was not refused on the record stands as the partner says: no refusal excuses another event."""
    money = [event for event, refund in known.told.items() if refund is None]
    came = [event for event in money if not known.refused(event)]
    if any(known.refused(event) not in {"", "period_closed"} for event in money):
        world.violated(f"{name} came, and was refused as {[known.refused(event) for event in money]}")
    if not came:
        if known.payment is not None:
            world.violated(f"{name} was refused, and is there")
        return
    if known.payment is None:
        world.violated(f"the payment {name} is nowhere")
        return
    if any(known.refused(event) == "payment_never_came" for event in known.told):
        world.violated(f"{name} came, and a refund of it was told that it never did")
    refusals = {known.refused(event) for event in known.told}
    if "refund_exceeds_payment" in refusals and "period_closed" not in refusals:
        world.violated(f"a refund of {name} found no room, and no failure was refused")
    went, failed = known.refunds(failed=False), known.refunds(failed=True)
    refunded = sum(amount for refund, amount in went.items() if refund not in failed) + known.ours
    ours = (known.payment["received"], known.payment["refunded"])
    if ours != (truth.amount, refunded):
        world.violated(f"{name} is {ours}, received and refunded; the partner says {truth}, of it taken {refunded}")


def _invoices(business: Business, documents: Mapping[str, Mapping[str, Fields]], watch: Watch) -> None:
    """Numbers without a gap, one entry an invoice, and open amounts that are the receivable's balance."""
    world, invoices = business.cloud.world, documents.get("invoices", {})
    issued = [one for one in invoices.values() if one["state"] not in {"draft", "void"}]
    places = sorted((int(str(one["number"]).rpartition("-")[2]), str(one["issued_on"])) for one in issued)
    if [place for place, _ in places] != list(range(1, len(places) + 1)) or places != sorted(
        places, key=lambda numbered: numbered[1]
    ):
        world.violated(f"the numbers and days of invoices are {places}")
    booked = [cause for cause in watch.entries if cause.startswith(f"{business.tenant} ") and "invoices/issue" in cause]
    if len(booked) != len(issued):
        world.violated(f"{len(issued)} invoices have {len(booked)} entries")
    asked = (cast("int", one["gross"]) - cast("int", one["corrected"]) for one in issued)
    owed = sum(asked) - sum(cast("int", one["paid"]) + cast("int", one["written_off"]) for one in issued)
    stands = sum(
        counted["debits"] - counted["credits"]
        for (tenant, account, _, _), counted in watch.folds.items()
        if (tenant, account) == (business.tenant, "assets:receivable")
    )
    if owed != stands:
        world.violated(f"invoices have {owed} open, the receivable stands at {stands}")
    if any(times > 1 for times in watch.entries.values()):
        world.violated(f"a cause was posted twice: {watch.entries.most_common(1)}")


def _payroll(business: Business, documents: Mapping[str, Mapping[str, Fields]]) -> None:
    """A run ends, its payslips are its employees', and gross = net + withheld; the books say the same."""
    world, runs = business.cloud.world, documents.get("payroll_runs", {})
    for key, run in runs.items():
        slips = [slip for slip in documents.get("payslips", {}).values() if slip["run_id"] == key]
        ends = {"posted", "posting_refused", "blocked"}
        if key not in business.runs:  # a later copy of a request that was refused: nobody knows of it to approve
            ends.add("awaiting_approval")
        if run["state"] not in ends:
            world.violated(f"a payroll run stands still: {run['state']!s}")
        if len(slips) != run["employees"]:
            world.violated(f"a run of {run['employees']!s} has {len(slips)} payslips")
        if run["state"] == "posted":
            _run_totals(world, run, slips)
        for slip in slips:
            amounts = cast("Mapping[str, int]", slip)
            taken = ("income_tax", "employee_nic", "student_loan", "postgraduate_loan", "net")
            if amounts["gross"] != sum(amounts[name] for name in taken):
                world.violated("gross is not net and what was withheld")


def _wages(business: Business, documents: Mapping[str, Mapping[str, Fields]], watch: Watch) -> None:
    """The books hold what the chunks that were posted say, to the cent; a closed year has taken the wages away."""
    postings = documents.get("payroll_postings", {}).values()
    accounts = {NET_PAY: "net_pay", INCOME_TAX_WITHHELD: "income_tax", WAGES: "gross_pay"}
    if _year(documents) == "closed":
        del accounts[WAGES]
    for account, component in accounts.items():
        stands = sum(
            counted["debits"] - counted["credits"]
            for (tenant, code, _, _), counted in watch.folds.items()
            if (tenant, code) == (business.tenant, account)
        )
        said = sum(_minor(cast("Mapping[str, Any]", posting["totals"])[component]) for posting in postings)
        if abs(stands) != said:
            business.cloud.world.violated(f"{account} stands at {stands}, the postings say {said}")


def _minor(amount: Any) -> int:
    return int(amount if isinstance(amount, int) else amount["amount"])


def _year(documents: Mapping[str, Mapping[str, Fields]]) -> object:
    return documents.get("years", {}).get("2026", {}).get("state")


def _years(business: Business, documents: Mapping[str, Mapping[str, Fields]], watch: Watch) -> None:
    """Of a year that is closed, nothing is left on revenue and expenses."""
    if _year(documents) != "closed":
        return
    left: Counter[str] = Counter()
    for (tenant, code, _, month), counted in watch.folds.items():
        if tenant == business.tenant and code.startswith(("revenue:", "expenses:")) and month <= "2026-12":
            left[code] += counted["debits"] - counted["credits"]
    if any(left.values()):
        business.cloud.world.violated(f"a closed year left {dict(left)}")


def _answered(business: Business, documents: Mapping[str, Mapping[str, Fields]]) -> None:
    """What a client was told is there, as it was told; what it was refused did not happen."""
    for call, done in business.cloud.answered:
        if call.tenant != business.tenant:
            continue
        if isinstance(done, Refused):
            entry = documents.get("entries", {}).get(call.cause.stored_id("entry"))
            if entry is not None and entry["outcome"] == "posted":
                business.cloud.world.violated(f"{call.cause} was refused {done.code}, and is posted")
            continue
        for problem in _untrue(getattr(done, "answer", done), documents):
            business.cloud.world.violated(f"{call.cause} was answered, and {problem}")


def _is_posted(told: RecordedEntry, documents: Mapping[str, Mapping[str, Fields]]) -> bool:
    kept = documents.get("entries", {}).get(told.entry.id)
    return kept is not None and kept["outcome"] == "posted" and kept["content_hash"] == told.entry.content_hash


def _untrue(told: Any, documents: Mapping[str, Mapping[str, Fields]]) -> Iterator[str]:
    """In what an answer differs from the books."""
    match told:
        case RecordedEntry() if not _is_posted(told, documents):
            yield "its entry is not there as it was told"
        case BatchResult():
            yield from (problem for result in told.results for problem in _untrue(result, documents))
        case Result(outcome=Refused()):
            if documents.get("entries", {}).get(told.entry.id, {}).get("outcome") == "posted":
                yield "an entry that was refused is posted"
        case Result():
            yield from _untrue(told.outcome, documents)
        case Operation():
            if not documents.get("ops", {}).get(told.id, {}).get("done"):
                yield "the operation is not done"
        case Hold() | Monitor() | Invoice() | DraftInvoice() | Customer() | Employee() | PayrollRun():
            if not any(told.id in documents.get(place, {}) for place in PLACES):
                yield "it is nowhere"


def _monitors(business: Business, documents: Mapping[str, Mapping[str, Fields]], watch: Watch) -> None:
    """What was seen last is what the state says, and a crossing was announced for each that was counted."""
    for key, monitor in documents.get("monitors", {}).items():
        if watch.crossed[key] != set(range(1, cast("int", monitor["crossings"]) + 1)):
            business.cloud.world.violated(f"of {monitor['crossings']!s} crossings {watch.crossed[key]} were announced")
        seen = cast("Mapping[str, int] | None", monitor["seen"])
        if monitor["state"] == "ended" or seen is None:
            continue
        figure, amount = seen["figure"], cast("int", monitor["amount"])
        beyond = figure < amount if monitor["direction"] == "below" else figure > amount
        if beyond is not (monitor["state"] == "crossed"):
            business.cloud.world.violated(f"a monitor is {monitor['state']!s} at {figure}, beyond {amount}: {beyond}")


def _run_totals(world: World, run: Fields, slips: list[Fields]) -> None:
    """What a run says of itself is what its payslips say."""
    said = cast("Mapping[str, Any]", run["totals"])
    for component, name in (("gross_pay", "gross"), ("net_pay", "net"), ("income_tax", "income_tax")):
        amount, wanted = said[component], sum(cast("int", slip[name]) for slip in slips)
        if _minor(amount) != wanted:
            world.violated(f"the run says {component} {amount}, its payslips {wanted}")


def _seal(business: Business) -> None:
    """A minute later everything can be sealed."""
    world = business.cloud.world
    world.now += timedelta(minutes=1)
    try:
        business.cloud.house().seals.seal(business.people[0]._call("seal", "at-rest", world.now, once=True))
    except (Refused, Retryable) as fault:
        world.violated(f"the journal could not be sealed: {fault.code}")


def _seals(business: Business) -> None:
    """Every entry is under one seal, as it is, and under one only."""
    world = business.cloud.world
    prefix = f"/documents/tenants/{business.tenant}/"
    sealed: Counter[Leaf] = Counter()
    there: set[Leaf] = set()
    for name, state in business.cloud.store.documents.now().items():
        if prefix not in name:
            continue
        if state.collection == "leaves":
            sealed.update(read_leaves(cast("str", state.fields["leaves"])))
        if state.collection == "entries":
            there.add(leaf_of(name.rsplit("/", 1)[-1], state.created, plain_fields(state.fields)))
    if set(sealed) != there or any(times > 1 for times in sealed.values()):
        world.violated(f"{len(there)} entries should be sealed as they are, {len(sealed)} are")


def _proof(business: Business) -> None:
    """The product's own proof of the whole, on a new instance."""
    house, world = business.cloud.house(), business.cloud.world
    call = business.people[0]._call("proof", "at-rest", world.now, once=True)
    try:
        proof: Proof = house.proofs.prove(call).answer
    except (Refused, Retryable) as fault:
        world.violated(f"the books could not be proven: {fault.code}")
        return
    if not proof.holds:
        world.violated(f"the proof found {proof.differences}")
