"""Statements of payouts, and their pages, as documents."""

from collections.abc import Mapping
from typing import Final, cast

from shared.identity import StoredId, TenantId
from shared.money import Money
from shared.payments.model import Tracked
from shared.payments.payouts.model import Found, Item, ItemKind, SettledItem, Statement
from shared.ports import Document, Fields, Ref, Value, tenant_ref

STATEMENTS: Final = "payout_statements"
PAGES: Final = "payout_pages"


def statement_ref(tenant: TenantId, payout: str) -> Ref:
    """What is known of a payout's lines."""
    return tenant_ref(tenant, STATEMENTS, payout)


def page_ref(tenant: TenantId, payout: str, number: int) -> Ref:
    """A page of them."""
    return tenant_ref(tenant, PAGES, f"{payout}~{number:06d}")


def write_statement(statement: Statement) -> dict[str, Value]:
    """A statement's fields; payout and stage are the payout's own."""
    return {
        "schema": 1,
        "pages": statement.pages,
        "items": statement.items,
        "sums": {kind.value: amount for kind, amount in statement.sums.items()},
        "fees": statement.fees,
        "fee_found": statement.fee_found,
        "found": {found.value: number for found, number in statement.found.items()},
        "cursor": statement.cursor,
        "closed": statement.closed,
        "ties": statement.ties,
        "version": statement.version,
    }


def read_statement(payout: Tracked, document: Document | None) -> Statement:
    """What is known of a payout's lines; of a new one nothing."""
    empty = Statement(
        payout.id, payout.partner, payout.account, payout.reference, payout.money, payout.stage, fee=payout.fee
    )
    if document is None:
        return empty
    fields = document.fields
    return Statement(
        payout.id,
        payout.partner,
        payout.account,
        payout.reference,
        payout.money,
        payout.stage,
        fee=payout.fee,
        fee_found=cast("int", fields["fee_found"]),
        pages=cast("int", fields["pages"]),
        items=cast("int", fields["items"]),
        sums={ItemKind(kind): amount for kind, amount in cast("Mapping[str, int]", fields["sums"]).items()},
        fees=cast("int", fields["fees"]),
        found={Found(found): number for found, number in cast("Mapping[str, int]", fields["found"]).items()},
        cursor=cast("str", fields["cursor"]),
        closed=cast("bool", fields["closed"]),
        version=cast("int", fields["version"]),
    )


def write_page(items: tuple[SettledItem, ...]) -> dict[str, Value]:
    """A page's fields."""
    return {"schema": 1, "items": [_write_item(one) for one in items]}


def _write_item(settled: SettledItem) -> dict[str, Value]:
    item = settled.item
    return {
        "kind": item.kind.value,
        "reference": item.reference,
        "amount": item.money.amount,
        "fee": item.fee.amount,
        "currency": item.money.currency,
        "object_id": settled.object_id,
        "found": settled.found.value,
    }


def read_page(document: Document) -> tuple[SettledItem, ...]:
    """The lines that a page keeps."""
    return tuple(_read_item(fields) for fields in cast("list[Fields]", document["items"]))


def _read_item(fields: Fields) -> SettledItem:
    currency = cast("str", fields["currency"])
    item = Item(
        ItemKind(fields["kind"]),
        cast("str", fields["reference"]),
        Money(cast("int", fields["amount"]), currency),
        Money(cast("int", fields["fee"]), currency),
    )
    return SettledItem(item, cast("StoredId", fields["object_id"]), Found(fields["found"]))
