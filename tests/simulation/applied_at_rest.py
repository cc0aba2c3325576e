"""What must be so of applied cash at rest: orders as they were answered, matches made, accounts whose they were."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Any, Final, cast

from shared.faults import Refused
from shared.identity import Cause
from shared.invoicing.rules.accounts import clearing_account
from shared.ledger.exchange import CONVERSION
from shared.payments.allocations import Allocation, AllocationState
from shared.payments.records import payment_id
from shared.payments.rules.accounts import EXCHANGE_DIFFERENCES, WRITE_OFFS
from shared.payments.use_cases.matching import DOOR
from shared.payments.use_cases.virtual_accounts import VirtualAccount
from shared.ports import Fields
from tests.simulation.acquired_at_rest import was_closed
from tests.simulation.applier import ASSIGN, RELEASE
from tests.simulation.bank import PARTNER
from tests.simulation.business import Business
from tests.simulation.documents import Micros, Stored
from tests.simulation.invariants import Watch
from tests.simulation.rates import RATES

Documents = Mapping[str, Mapping[str, Fields]]

CLOSE: Final = Decimal("0.0000000001")
"""How exact a cross rate is."""

_OPEN: Final = frozenset({"issued", "partly_paid"})


@dataclass(frozen=True)
class Applied:
    """One tenant's applied cash."""

    business: Business
    documents: Documents
    watch: Watch

    def of(self, collection: str) -> Mapping[str, Fields]:
        """The documents of a collection."""
        return self.documents.get(collection, {})

    def past(self, collection: str, key: str, since: Micros = 0) -> Sequence[Stored]:
        """The states of a document from an instant on, with the one that stood then."""
        documents = self.business.cloud.store.documents
        names = documents.by_collection.get(collection, {})
        name = next(one for one in names if one.endswith(f"/tenants/{self.business.tenant}/{collection}/{key}"))
        states = [(at, state) for at, state in documents.past[name] if state is not None]
        first = max((place for place, (at, _) in enumerate(states) if at <= since), default=0)
        return [state for _, state in states[first:]]

    @cached_property
    def came(self) -> Mapping[str, Fields]:
        """By the payment's id the first event that brought its money."""
        events = (one for one in self.of("inbox").values() if one["kind"] == "payment_succeeded")
        applied = (one for one in events if one["state"] == "applied")
        return {payment_id(str(one["partner"]), str(one["payment"]), str(one["account"])): one for one in applied}


def cash_at_rest(business: Business, documents: Documents, watch: Watch) -> None:
    """Look at everything that one tenant applied."""
    applied = Applied(business, documents, watch)
    orders = (_answered, _announced, _exchanged, _conversion, _written_off, _limit)
    for look in (*orders, _matched, _once, _accounts, _bank):
        for problem in look(applied):
            business.cloud.world.violated(problem)


# --- orders ------------------------------------------------------------------------------


def _answered(applied: Applied) -> Iterator[str]:
    """An order is there as it was answered, and undone if that was answered; one that was refused is not there."""
    business, orders = applied.business, applied.of("allocations")
    for call, done in business.cloud.answered:
        if call.tenant != business.tenant:
            continue
        if isinstance(done, Refused) and call.cause.stored_id("allocation") in orders:
            yield f"an order was refused {done.code}, and is there"
        told = getattr(done, "answer", None)
        if not isinstance(told, Allocation):
            continue
        kept = orders.get(told.id)
        shares = [(one.invoice_id, one.taken, one.settled, one.written_off) for one in told.shares]
        if kept is None or (kept["taken"], _parts(kept)) != (told.taken.amount, shares):
            yield "an order is not there as it was answered"
        elif told.state is AllocationState.UNDONE and kept["state"] != "undone":
            yield "an undoing was answered, and the order stands"


def _parts(order: Fields) -> list[tuple[Any, ...]]:
    names = ("invoice_id", "taken", "settled", "written_off")
    return [tuple(share[name] for name in names) for share in cast("list[Fields]", order["shares"])]


def _announced(applied: Applied) -> Iterator[str]:
    """Each order was announced, and each undoing, once."""
    documents, told = applied.business.cloud.store.documents, Counter[tuple[str, object]]()
    for name in documents.by_collection.get("outbox", ()):
        row = documents.past[name][0][1]
        if row and f"/tenants/{applied.business.tenant}/" in name and "allocated" in str(row.fields.get("type", "")):
            told[str(row.fields["type"]), cast("Fields", row.fields["data"])["allocation_id"]] += 1
    orders = applied.of("allocations")
    wanted = Counter[tuple[str, object]](("payment.allocated", key) for key in orders)
    wanted.update(("payment.unallocated", key) for key, one in orders.items() if one["state"] == "undone")
    if told != wanted:
        yield f"{len(orders)} orders are there, and announced was {told - wanted}, or not {wanted - told}"


def _exchanged(applied: Applied) -> Iterator[str]:
    """An order in two currencies takes what its invoices come to at its rate."""
    for order in applied.of("allocations").values():
        rate = cast("Fields | None", order["rate"])
        shares = cast("list[Fields]", order["shares"])
        if (rate is None) is not all(share["currency"] == order["currency"] for share in shares):
            yield "an order in two currencies has no rate, or one in one has"
        elif rate is not None:
            settled = sum(cast("int", share["settled"]) for share in shares)
            wanted = (Decimal(str(rate["rate"])) * settled).quantize(Decimal(1), ROUND_HALF_EVEN)
            pair = (rate["base"], rate["quote"])
            if pair != (shares[0]["currency"], order["currency"]) or wanted != cast("int", order["taken"]):
                yield f"an order took {order['taken']!s}, at its rate {wanted}"
            payment = applied.of("payments")[str(order["payment_id"])]
            if not _is_published(rate, cast("datetime", payment["occurred_at"]).date()):
                yield "an order was exchanged at another rate than that of the day on which the money came"


def _is_published(rate: Fields, on: date) -> bool:
    """Whether a rate is that of the last publication until a day."""
    day = max(published for published in RATES.days if published <= on)
    units = {"EUR": Decimal(1), **RATES.days[day]}
    wanted = units[str(rate["quote"])] / units[str(rate["base"])]
    return rate["published_on"] == day.isoformat() and abs(Decimal(str(rate["rate"])) - wanted) <= CLOSE


def _conversion(applied: Applied) -> Iterator[str]:
    """Conversion stands at what is still exchanged, and differences at what shares have realised."""
    stands, differences = Counter[str](), 0
    for payment in applied.of("payments").values():
        for share in cast("list[Fields]", payment["shares"]):
            differences += cast("int", share["gain"])
            if share["currency"] != payment["currency"]:
                stands[str(payment["currency"])] += cast("int", share["taken"])
                stands[str(share["currency"])] -= cast("int", share["settled"])
    for currency in ("EUR", "GBP"):
        if (found := _stands(applied, CONVERSION, currency)) != stands[currency]:
            yield f"conversion stands at {found} {currency}, shares say {stands[currency]}"
    if (found := _stands(applied, EXCHANGE_DIFFERENCES, "GBP")) != -differences:
        yield f"exchange differences stand at {found}, shares say {-differences}"


def _stands(applied: Applied, account: str, currency: str) -> int:
    """Credits less debits."""
    return sum(
        counted["credits"] - counted["debits"]
        for place, counted in applied.watch.folds.items()
        if place[:3] == (applied.business.tenant, account, currency)
    )


def _written_off(applied: Applied) -> Iterator[str]:
    """The expense is what invoices say; a closed year has taken it away."""
    if applied.of("years").get("2026", {}).get("state") == "closed":
        return
    for currency in ("EUR", "GBP"):
        invoices = (one for one in applied.of("invoices").values() if one["currency"] == currency)
        wanted = sum(cast("int", one.get("written_off", 0)) for one in invoices)
        if (found := -_stands(applied, WRITE_OFFS, currency)) != wanted:
            yield f"write-offs stand at {found} {currency}, invoices say {wanted}"


def _limit(applied: Applied) -> Iterator[str]:
    limit = applied.of("write_off_limits").get("GBP", {"amount": 0})["amount"]
    if limit != applied.business.write_off_limit:
        yield f"so much may be written off: {limit!s}; answered was {applied.business.write_off_limit}"


# --- matches -----------------------------------------------------------------------------


def _matched(applied: Applied) -> Iterator[str]:
    """Money that stood untouched beside what it was for, all the time and without a doubt, was applied to it."""
    for key, event in applied.came.items():
        states = applied.past("payments", key)
        cause = Cause("system", DOOR, key)
        if len(states) > 1 or applied.of("payments")[key]["matched"]:
            continue
        if applied.of("entries").get(cause.stored_id("entry"), {}).get("outcome") == "refused":
            continue
        numbers = str(event["reference"]).split()
        if len(numbers) > 1 and _fits(applied, states[0], numbers):
            yield "money that named its invoices was not applied to them"
        if len(numbers) < 2 and states[0].fields["customer_id"] and _is_for_one(applied, states[0]):
            yield "money of a customer over just one open invoice was not applied to it"


def _fits(applied: Applied, payment: Stored, numbers: Sequence[str]) -> bool:
    """Whether all of these are ours, of one customer, in its currency, and one was open all the time."""
    invoices = {key: one for key, one in applied.of("invoices").items() if one.get("number") in numbers}
    whose = {one["customer_id"] for one in invoices.values()} | {payment.fields["customer_id"] or None} - {None}
    same = all(one["currency"] == payment.fields["currency"] for one in invoices.values())
    owed = any(all(_owed(state.fields) for state in applied.past("invoices", key, payment.created)) for key in invoices)
    return len(invoices) == len(numbers) and len(whose) == 1 and same and owed


def _is_for_one(applied: Applied, payment: Stored) -> bool:
    """Whether just one invoice of its customer's had exactly that open, all the time, and no other ever."""
    theirs = [key for key, one in applied.of("invoices").items() if one["customer_id"] == payment.fields["customer_id"]]
    exact = Counter[bool]()
    for key in theirs:
        states = applied.past("invoices", key, payment.created)
        same = states[0].fields["currency"] == payment.fields["currency"]
        fits = [same and _owed(state.fields) == payment.fields["unapplied"] for state in states]
        if any(fits) and not all(fits):
            return False
        exact[all(fits)] += 1
    return exact[True] == 1


def _owed(invoice: Fields) -> int:
    """What is open of an invoice that is issued."""
    if invoice["state"] not in _OPEN:
        return 0
    less = (cast("int", invoice[name]) for name in ("corrected", "paid", "written_off"))
    return cast("int", invoice["gross"]) - sum(less)


def _once(applied: Applied) -> Iterator[str]:
    """A payment is matched once, to invoices that it names, or that are its customer's; never exchanged."""
    matched = Counter[str]()
    for key, order in applied.of("allocations").items():
        if order["basis"] == "order":
            continue
        payment = str(order["payment_id"])
        matched[payment] += 1
        invoices = [applied.of("invoices")[str(share[0])] for share in _parts(order)]
        named = str(applied.came[payment]["reference"]).split()
        if order["basis"] == "reference" and not {one["number"] for one in invoices} <= set(named):
            yield "money was matched to an invoice that it does not name"
        whose = applied.of("payments")[payment]["customer_id"]
        if order["basis"] == "amount" and [one["customer_id"] for one in invoices] != [whose]:
            yield "money of a customer was matched to another's invoice"
        if order["basis"] == "amount" and _doubtful(applied, key, order):
            yield "money was matched to one of two invoices that it fits"
        if order["rate"] is not None or order["principal"] != "system:match_payment":
            yield "a match was exchanged, or made by somebody"
    if any(times > 1 for times in matched.values()):
        yield "a payment was matched twice"


def _doubtful(applied: Applied, key: str, order: Fields) -> bool:
    """Whether another invoice of the customer had exactly that open, from the payment's coming to its match."""
    made, came = applied.past("allocations", key)[0], applied.past("payments", str(order["payment_id"]))[0]
    taken = {str(share[0]) for share in _parts(order)}
    theirs = {one for one, fields in applied.of("invoices").items() if fields["customer_id"] == order["customer_id"]}
    meanwhile = (
        [state.fields for state in applied.past("invoices", one, came.created) if state.updated < made.created]
        for one in sorted(theirs - taken)
    )
    return any(states and all(_owed(one) == order["taken"] for one in states) for states in meanwhile)


# --- virtual accounts --------------------------------------------------------------------


def _accounts(applied: Applied) -> Iterator[str]:
    """Money was its account's customer's of that moment, if it came since theirs; accounts are whose they were told."""
    for key, event in applied.came.items():
        account, payment = str(event.get("virtual_account", "")), applied.past("payments", key)[0]
        whose = ""
        if account in applied.of("virtual_accounts"):
            states = applied.past("virtual_accounts", account)
            now = next((one.fields for one in states[::-1] if one.updated <= payment.created), None)
            theirs = now is not None and cast("datetime", event["occurred_at"]) >= cast("datetime", now["at"])
            whose = str(now["customer_id"]) if now is not None and theirs else ""
        if payment.fields["invoice_id"]:
            whose = str(applied.of("invoices")[str(payment.fields["invoice_id"])]["customer_id"])
        if payment.fields["customer_id"] != whose:
            yield "money is of another customer than its account was"
    for call, done in applied.business.cloud.answered:
        told = getattr(done, "answer", None)
        if call.tenant != applied.business.tenant or not isinstance(told, VirtualAccount):
            continue
        wrote = {str(state.fields["customer_id"]) for state in applied.past("virtual_accounts", told.id)}
        if call.cause.endpoint in {ASSIGN, RELEASE} and told.customer_id not in wrote:
            yield "an account was never whose it was answered to be"


# --- the bank ----------------------------------------------------------------------------


def _bank(applied: Applied) -> Iterator[str]:
    """Every transfer, and every taking back, is known and applied once, unless its month was closed."""
    told = applied.business.bank.told
    events = {str(one["event_id"]): one for one in applied.of("inbox").values() if one["partner"] == PARTNER}
    if set(events) != set(told):
        yield f"{len(told)} events of transfers were told, {len(events)} are known"
        return
    held = 0
    for name in {one.transfer for one in told.values()}:
        codes = {event: str(cast("Fields", events[event]["refusal"] or {}).get("code", "")) for event in events}
        parts = {one.taken_back: one.amount for event, one in told.items() if one.transfer == name and not codes[event]}
        refused = {codes[event]: events[event] for event, one in told.items() if one.transfer == name and codes[event]}
        payment = applied.of("payments").get(payment_id(PARTNER, name))
        for code, event in refused.items():
            closed = code == "period_closed" and was_closed(event, applied.documents)
            if not closed and not (code == "payment_never_came" and False not in parts):
                yield f"an event of a transfer was refused: {code}"
        if (payment is not None) is not (False in parts):
            yield "a transfer came, and is nowhere, or it was refused, and is there"
        if payment is None:
            continue
        held += cast("int", payment["matched"]) + cast("int", payment["unapplied"])
        if (payment["received"], payment["reversed"]) != (parts[False], parts.get(True, 0)):
            yield f"of a transfer {payment['received']!s} came, {payment['reversed']!s} went; told was {parts}"
    if (found := -applied.watch.stands(applied.business.tenant, clearing_account(PARTNER))) != held:
        yield f"the bank holds {found}, by its transfers {held}"
