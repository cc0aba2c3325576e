"""The inbox, payments and receipts as documents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, cast

from shared.desk import write_refusal
from shared.faults import Refused
from shared.identity import Cause, StoredId, TenantId, stored_id
from shared.money import Money
from shared.payments.model import (
    EventKind,
    EventState,
    PartnerEvent,
    Payment,
    Receipt,
    Share,
    Stage,
    StoredEvent,
    Thing,
    Tracked,
)
from shared.payments.rules.lifecycles import THING
from shared.ports import Document, Fields, Ref, Value, tenant_ref

INBOX: Final = "inbox"
PAYMENTS: Final = "payments"
RAW: Final = "raw"
VIRTUAL_ACCOUNTS: Final = "virtual_accounts"

_PARTS: Final = ("received", "matched", "unapplied", "refunded", "reversal_told", "reversed", "fee_told", "version")
TALLIES: Final = "refund_tallies"
"""What is under way of a payment's refunds that we asked for."""
TRACKED: Final[Mapping[Thing, str]] = {Thing.REFUND: "refunds", Thing.DISPUTE: "disputes", Thing.PAYOUT: "payouts"}
"""The collections of what partners tell of besides payments."""


def event_cause(tenant: TenantId, partner: str, account: str, event_id: str) -> Cause:
    """What an event is the cause of: told twice, it is the same cause; told of two accounts, two."""
    return Cause(f"webhook:{partner}", tenant, _named(account, event_id))


def inbox_ref(tenant: TenantId, key: str) -> Ref:
    """An event of the inbox."""
    return tenant_ref(tenant, INBOX, key)


def payment_id(partner: str, reference: str, account: str = "") -> StoredId:
    """The id of the payment that a partner calls so on one of our accounts with it."""
    return stored_id("payment", partner, _named(account, reference))


def payment_of(event: PartnerEvent) -> StoredId:
    """The id of the payment that an event is about."""
    return payment_id(event.partner, event.payment, event.account)


def _named(account: str, name: str) -> str:
    """A name that is unique with the partner; names have no slash."""
    return f"{account}/{name}" if account else name


def payment_ref(tenant: TenantId, payment: str) -> Ref:
    """A payment."""
    return tenant_ref(tenant, PAYMENTS, payment)


def tracked_id(event: PartnerEvent, thing: Thing) -> StoredId:
    """The id of the refund, dispute or payout that an event is about."""
    return own_id(event.partner, event.account, thing, event.object)


def own_id(partner: str, account: str, thing: Thing, reference: str) -> StoredId:
    """Our id of what a partner calls so on one of our accounts with it."""
    return stored_id(thing.value, partner, _named(account, reference))


def object_path(event: PartnerEvent) -> str:
    """Collection and id of the refund, dispute or payout that an event is about; empty of a payment's own."""
    thing = THING[event.kind]
    return f"{TRACKED[thing]}/{tracked_id(event, thing)}" if thing in TRACKED else ""


def tracked_ref(tenant: TenantId, thing: Thing, key: str) -> Ref:
    """A refund, dispute or payout."""
    return tenant_ref(tenant, TRACKED[thing], key)


def receipt_ref(tenant: TenantId, payment: str) -> Ref:
    """The receipt of a payment."""
    return tenant_ref(tenant, "receipts", payment)


def virtual_account_ref(tenant: TenantId, index: str) -> Ref:
    """Whose a virtual account is, by the blind index of its number."""
    return tenant_ref(tenant, VIRTUAL_ACCOUNTS, index)


def write_event(stored: StoredEvent, sealed: bytes) -> dict[str, Value]:
    """An event's fields; what the partner wrote is only there sealed."""
    return {
        "schema": 1,
        **_said(stored.event),
        "state": stored.state.value,
        "refusal": None,
        "entry_id": "",
        "outbox": [],
        "received_at": stored.received_at,
        "key_id": stored.key_id,
        **_replayed(stored),
        RAW: sealed,
    }


def write_replay(stored: StoredEvent) -> dict[str, Value]:
    """An event that is to be applied (again), as it is understood now."""
    return {**_said(stored.event), **write_end(stored.state), **_replayed(stored)}


def write_truth(event: PartnerEvent) -> dict[str, Value]:
    """What an event says, now that its partner was asked."""
    return _said(event)


def _replayed(stored: StoredEvent) -> dict[str, Value]:
    again: dict[str, Value] = {"waits_from": stored.waits_from, "replays": stored.replays, "late": stored.late}
    return again | ({"virtual_account": stored.account} if stored.account else {})


def _said(event: PartnerEvent) -> dict[str, Value]:
    """What an event says, in our words."""
    return {
        "partner": event.partner,
        "account": event.account,
        "event_id": event.id,
        "type": event.type,
        "kind": event.kind.value,
        "occurred_at": event.occurred_at,
        "payment": event.payment,
        "object": event.object,
        "amount": event.money.amount if event.money else None,
        "currency": event.money.currency if event.money else None,
        "fee": event.fee.amount if event.fee else None,
        "fee_currency": event.fee.currency if event.fee else None,
        "invoice_id": event.invoice_id,
        "reference": event.reference,
        "round": event.round,
    }


def write_end(
    state: EventState, *, refusal: Refused | None = None, entry_id: str = "", outbox: tuple[str, ...] = ()
) -> dict[str, Value]:
    """What became of an event: why it was refused, the entry that it caused (posted or refused), what was announced."""
    return {
        "state": state.value,
        "refusal": write_refusal(refusal) if refusal else None,
        "entry_id": entry_id,
        "outbox": list(outbox),
    }


def read_event(document: Document) -> StoredEvent:
    """The event that a document keeps, without its sealed bytes."""
    fields = document.fields
    refusal = cast("Fields | None", fields["refusal"])
    event = PartnerEvent(
        cast("str", fields["partner"]),
        cast("str", fields["event_id"]),
        cast("str", fields["type"]),
        EventKind(fields["kind"]),
        cast("datetime", fields["occurred_at"]),
        account=cast("str", fields["account"]),
        payment=cast("str", fields["payment"]),
        object=cast("str", fields["object"]),
        money=_money(fields["amount"], fields["currency"]),
        fee=_money(fields["fee"], fields["fee_currency"]),
        invoice_id=cast("str", fields["invoice_id"]),
        reference=cast("str", fields["reference"]),
        round=cast("int", fields["round"]),
    )
    return StoredEvent(
        document.ref.key,
        event,
        EventState(fields["state"]),
        cast("datetime", fields["received_at"]),
        cast("str", fields["key_id"]),
        cast("datetime", fields["waits_from"]),
        replays=cast("int", fields["replays"]),
        late=cast("bool", fields["late"]),
        refused=cast("str", refusal["code"]) if refusal else "",
        entry_id=cast("str", fields["entry_id"]),
        account=cast("str", fields.get("virtual_account", "")),
    )


def _money(amount: Value, currency: Value) -> Money | None:
    return Money(amount, currency) if isinstance(amount, int) and isinstance(currency, str) else None


def write_payment(payment: Payment) -> dict[str, Value]:
    """A payment's fields."""
    return {
        "schema": 1,
        "partner": payment.partner,
        "reference": payment.reference,
        "invoice_id": payment.invoice_id,
        "customer_id": payment.customer_id,
        "account": payment.account,
        "currency": payment.currency,
        "stage": payment.stage.value,
        "state": payment.state.value,
        "occurred_at": payment.occurred_at,
        "payout_id": payment.payout_id,
        "fee_currency": payment.fee_currency,
        "reversal_fee": payment.reversal_fee,
        "reversal_payout_id": payment.reversal_payout_id,
        **{name: cast("int", getattr(payment, name)) for name in _PARTS},
        "shares": [write_share(share) for share in payment.shares],
    }


def read_payment(document: Document) -> Payment:
    """The payment that a document keeps."""
    fields = document.fields
    partner, reference, currency, invoice, customer = (
        cast("str", fields[name]) for name in ("partner", "reference", "currency", "invoice_id", "customer_id")
    )
    return Payment(
        document.ref.key,
        partner,
        reference,
        currency,
        Stage(fields["stage"]),
        cast("datetime", fields["occurred_at"]),
        invoice_id=invoice,
        customer_id=customer,
        payout_id=cast("str", fields["payout_id"]),
        account=cast("str", fields["account"]),
        fee_currency=cast("str", fields.get("fee_currency", "")),
        reversal_fee=cast("int", fields.get("reversal_fee", 0)),
        reversal_payout_id=cast("str", fields.get("reversal_payout_id", "")),
        **{name: cast("int", fields[name]) for name in _PARTS},
        shares=tuple(read_share(share) for share in cast("Sequence[Fields]", fields.get("shares", ()))),
    )


def write_share(share: Share) -> dict[str, Value]:
    """A share's fields."""
    return {
        "allocation": share.allocation,
        "invoice_id": share.invoice_id,
        "customer_id": share.customer_id,
        "currency": share.currency,
        "taken": share.taken,
        "settled": share.settled,
        "written_off": share.written_off,
        "gain": share.gain,
        "books": share.books,
    }


def read_share(fields: Fields) -> Share:
    """The share that `write_share` wrote."""
    allocation, invoice, customer, currency, books = (
        cast("str", fields[name]) for name in ("allocation", "invoice_id", "customer_id", "currency", "books")
    )
    taken, settled, written_off, gain = (
        cast("int", fields[name]) for name in ("taken", "settled", "written_off", "gain")
    )
    return Share(allocation, invoice, customer, currency, taken, settled, written_off, gain, books)


def write_tracked(tracked: Tracked) -> dict[str, Value]:
    """A refund's, dispute's or payout's fields."""
    return {
        "schema": 1,
        "partner": tracked.partner,
        "reference": tracked.reference,
        "payment_id": tracked.payment_id,
        "amount": tracked.money.amount,
        "currency": tracked.money.currency,
        "stage": tracked.stage.value,
        "occurred_at": tracked.occurred_at,
        "account": tracked.account,
        "fee": tracked.fee,
        "fee_of_lines": tracked.fee_of_lines,
        "fee_of_payout": tracked.fee_of_payout,
        "payout_id": tracked.payout_id,
        "paid_out": tracked.paid_out,
        "round": tracked.round,
        "order": tracked.order,
        "version": tracked.version,
    }


def read_tracked(thing: Thing, document: Document) -> Tracked:
    """The refund, dispute or payout that a document keeps."""
    fields = document.fields
    return Tracked(
        document.ref.key,
        thing,
        cast("str", fields["partner"]),
        cast("str", fields["reference"]),
        cast("str", fields["payment_id"]),
        Money(cast("int", fields["amount"]), cast("str", fields["currency"])),
        Stage(fields["stage"]),
        cast("datetime", fields["occurred_at"]),
        account=cast("str", fields["account"]),
        fee=cast("int", fields["fee"]),
        fee_of_lines=cast("int", fields.get("fee_of_lines", 0)),
        fee_of_payout=cast("int", fields.get("fee_of_payout", 0)),
        payout_id=cast("str", fields.get("payout_id", "")),
        paid_out=cast("int", fields.get("paid_out", 0)),
        round=cast("int", fields["round"]),
        order=cast("str", fields["order"]),
        version=cast("int", fields["version"]),
    )


def write_receipt(receipt: Receipt) -> dict[str, Value]:
    """A receipt's fields."""
    return {
        "schema": 1,
        "invoice_id": receipt.invoice_id,
        "customer_id": receipt.customer_id,
        "amount": receipt.money.amount,
        "currency": receipt.money.currency,
        "issued_at": receipt.issued_at,
    }


def read_receipt(document: Document) -> Receipt:
    """The receipt that a document keeps."""
    fields = document.fields
    return Receipt(
        document.ref.key,
        cast("str", fields["invoice_id"]),
        cast("str", fields["customer_id"]),
        Money(cast("int", fields["amount"]), cast("str", fields["currency"])),
        cast("datetime", fields["issued_at"]),
    )
