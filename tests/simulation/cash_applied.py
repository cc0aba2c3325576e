"""What must be so of applied cash after every commit: payments, invoices, allocations and the books say one thing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from shared.invoicing.rules.accounts import CUSTOMER_CREDIT, RECEIVABLE
from shared.ledger.line_text import read_lines
from shared.ledger.model import Line
from shared.payments.rules.accounts import UNAPPLIED_CASH
from shared.ports import Fields
from tests.simulation.documents import Documents, Stored
from tests.simulation.firestore import Change
from tests.simulation.invariants import Watch
from tests.simulation.world import World

Place = tuple[str, str]
"""A tenant and a currency, or a tenant and an invoice."""

UNDOING: Final = frozenset({"state", "undone_by", "undone_at", "undo_entry_id", "added_by_the_next_version"})
"""The only fields of an allocation that change."""

_SIDES: Final = {UNAPPLIED_CASH: 1, CUSTOMER_CREDIT: 1, RECEIVABLE: -1}
"""The accounts that are watched, and by which sign they stand on their own side."""


@dataclass
class CashWatch:
    """Looks at every commit of the main database, after the watch has counted its entries."""

    world: World
    watch: Watch
    documents: Documents
    said: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By tenant, currency and account: what documents say that it stands at."""
    given: Counter[Place] = field(default_factory=Counter)
    """By tenant and invoice: what payments say that they gave it."""
    written_off: Counter[Place] = field(default_factory=Counter)
    """By tenant and invoice: what payments say that was written off of it with their shares."""

    def look(self, changes: Sequence[Change]) -> None:
        """Judge a commit."""
        books, invoices = set[Place](), set[Place]()
        for change in changes:
            if change.before is change.after:
                continue
            state = cast("Stored", change.after or change.before)
            tenant, key = state.name.split("/")[-3], state.name.rsplit("/", 1)[-1]
            match state.collection:
                case "payments":
                    books.add((tenant, str(state.fields["currency"])))
                    invoices |= self._payment(tenant, change)
                case "invoices":
                    books.add((tenant, str(state.fields["currency"])))
                    invoices.add((tenant, key))
                    self._invoice(tenant, change)
                case "allocations":
                    self._allocation(tenant, key, change)
                case "entries":
                    books |= {(tenant, currency) for currency in _touched(state.fields)}
        for place in sorted(books):
            self._stands(*place)
        for place in sorted(invoices):
            self._adds_up(*place)

    # --- what documents say

    def _payment(self, tenant: str, change: Change) -> set[Place]:
        """Count what a payment says before and after; the invoices that it names."""
        named = set[Place]()
        for one, sign in ((change.before, -1), (change.after, 1)):
            if one is None:
                continue
            fields, shares = one.fields, _shares(one.fields)
            self.said[tenant, str(fields["currency"]), UNAPPLIED_CASH] += sign * _whole(fields, "unapplied")
            own = _whole(fields, "matched") - sum(_whole(share, "taken") for share in shares)
            if fields["invoice_id"]:
                self.given[tenant, str(fields["invoice_id"])] += sign * own
                named.add((tenant, str(fields["invoice_id"])))
            elif own:
                self.world.violated("what of a payment is matched to no invoice is in none of its shares")
            for share in shares:
                place = (tenant, str(share["invoice_id"]))
                self.given[place] += sign * _whole(share, "settled")
                self.written_off[place] += sign * _whole(share, "written_off")
                named.add(place)
        if change.after is not None:
            self._conserved(change.after.fields)
            for share in _shares(change.after.fields):
                self._of_its_order(tenant, share)
            if change.before is not None:
                self._in_order(change.before.fields, change.after.fields)
        return named

    def _conserved(self, fields: Fields) -> None:
        """What came is somewhere once: kept, allocated, given back or taken back."""
        parts = [_whole(fields, name) for name in ("unapplied", "matched", "refunded", "reversed")]
        own = _whole(fields, "matched") - sum(_whole(share, "taken") for share in _shares(fields))
        if sum(parts) != _whole(fields, "received") or min(*parts, own) < 0:
            self.world.violated(f"of a payment of {fields['received']!s} {parts} are somewhere, {own} its own")

    def _of_its_order(self, tenant: str, share: Fields) -> None:
        """A share is of an order that stands, at most what was ordered; in part, nothing of it is written off."""
        ordered = self._there(tenant, "allocations", str(share["allocation"]))
        if ordered is None or ordered["state"] != "made":
            self.world.violated("a share of a payment is of no allocation that stands")
            return
        made = next((one for one in _shares(ordered) if one["invoice_id"] == share["invoice_id"]), None)
        if made is None or any(_whole(share, name) > _whole(made, name) for name in ("taken", "settled")):
            self.world.violated("more of a payment is allocated than was ordered")
            return
        whole = _whole(share, "taken") == _whole(made, "taken")
        if _whole(share, "written_off") != (_whole(made, "written_off") if whole else 0):
            self.world.violated("what was written off with a share does not follow it")
        if share["currency"] == ordered["currency"] and share["taken"] != share["settled"]:
            self.world.violated("a share settles another amount than it takes")

    def _in_order(self, before: Fields, after: Fields) -> None:
        """What goes back is taken from unapplied cash, then from the latest share, then from the invoice named."""
        was, now = _shares(before), _shares(after)
        kept_before, kept = (_whole(one, "unapplied") + _whole(one, "matched") for one in (before, after))
        taken_before, taken = (sum(_whole(share, "taken") for share in one) for one in (was, now))
        if kept >= kept_before or taken >= taken_before:
            return  # nothing went back, or nothing that was allocated
        if after["unapplied"]:
            self.world.violated("an allocated part went back before what was unapplied")
        last = len(now) - 1
        if now and (list(now[:-1]) != list(was[:last]) or not _is_of(now[-1], was[last])):
            self.world.violated("an earlier share went back before a later one")

    def _invoice(self, tenant: str, change: Change) -> None:
        for one, sign in ((change.before, -1), (change.after, 1)):
            if one is None or one.fields["state"] in {"draft", "void"}:
                continue
            fields, currency = one.fields, str(one.fields["currency"])
            self.said[tenant, currency, CUSTOMER_CREDIT] += sign * _whole(fields, "credited")
            self.said[tenant, currency, RECEIVABLE] += sign * _open(fields)
        if change.after is not None and change.after.fields["state"] not in {"draft", "void"}:
            fields = change.after.fields
            parts = [_whole(fields, name) for name in ("paid", "credited", "written_off", "corrected")]
            if min(*parts, _open(fields)) < 0 or (fields["credited"] and _open(fields)):
                self.world.violated(f"an invoice over {fields['gross']!s} has {parts} paid, held, written off, back")

    # --- orders

    def _allocation(self, tenant: str, key: str, change: Change) -> None:
        """One is made with its entry, or undone with another, and nothing else of it ever changes."""
        if change.after is None:
            self.world.violated("an allocation was deleted")
            return
        after = change.after.fields
        if change.before is None:
            self._made(tenant, after)
            return
        before = change.before.fields
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        if not changed <= UNDOING:
            self.world.violated(f"of an allocation {sorted(changed)} changed")
        payment = self._there(tenant, "payments", str(after["payment_id"]))
        if after["state"] == "undone" and any(share["allocation"] == key for share in _shares(cast("Any", payment))):
            self.world.violated("an allocation that was undone left a share")
        if not self._posted(tenant, str(after["undo_entry_id"])):
            self.world.violated("an allocation was undone without its entry")

    def _made(self, tenant: str, made: Fields) -> None:
        """Its shares are what it took, its entry settles what they say, and no more is written off than may be."""
        shares = _shares(made)
        if sum(_whole(share, "taken") for share in shares) != made["taken"] or not shares:
            self.world.violated("the shares of an allocation are not what it took")
        lines = self._posted(tenant, str(made["entry_id"]))
        settled = sum(_whole(share, "settled") + _whole(share, "written_off") for share in shares)
        if sum(line.money.amount for line in lines if line.account == RECEIVABLE) != settled:
            self.world.violated("the entry of an allocation does not settle what its shares say")
        limit = self._there(tenant, "write_off_limits", str(shares[0]["currency"]))
        most = _whole(limit, "amount") if limit else 0
        if any(_whole(share, "written_off") > most for share in shares):
            self.world.violated(f"more than {most} of an invoice was written off")

    def _posted(self, tenant: str, entry: str) -> Sequence[Line]:
        """The lines of an entry; none if it is not posted."""
        found = self._there(tenant, "entries", entry)
        return read_lines(cast("list[str]", found["lines"])) if found and found["outcome"] == "posted" else ()

    def _there(self, tenant: str, collection: str, key: str) -> Fields | None:
        names = self.documents.by_collection.get(collection, {})
        name = f"{_root(names)}/tenants/{tenant}/{collection}/{key}" if names else ""
        found = self.documents.get(name)
        return found.fields if found else None

    # --- both sides

    def _stands(self, tenant: str, currency: str) -> None:
        """Unapplied cash, customers' credit and the receivable stand at what payments and invoices say."""
        stands: Counter[str] = Counter()
        for place, counted in self.watch.folds.items():
            if place[0] == tenant and place[2] == currency and place[1] in _SIDES:
                stands[place[1]] += _SIDES[place[1]] * (counted["credits"] - counted["debits"])
        for account in _SIDES:
            if stands[account] != self.said[tenant, currency, account]:
                said = self.said[tenant, currency, account]
                self.world.violated(f"{account} stands at {stands[account]} {currency}, documents say {said}")

    def _adds_up(self, tenant: str, invoice: str) -> None:
        """What an invoice has is what payments gave it, and what is written off of it is what their shares say."""
        fields = self._there(tenant, "invoices", invoice)
        if fields is None or fields["state"] in {"draft", "void"}:
            return
        has = (_whole(fields, "paid") + _whole(fields, "credited"), _whole(fields, "written_off"))
        say = (self.given[tenant, invoice], self.written_off[tenant, invoice])
        if has != say:
            self.world.violated(f"an invoice has {has} paid and written off, payments say {say}")


def _touched(entry: Fields) -> Iterable[str]:
    """The currencies in which an entry is on an account that is watched."""
    if entry["outcome"] != "posted":
        return ()
    lines = read_lines(cast("list[str]", entry["lines"]))
    return {line.money.currency for line in lines if line.account in _SIDES}


def _root(names: Iterable[str]) -> str:
    return next(iter(names)).split("/tenants/")[0]


def _is_of(share: Fields, before: Fields) -> bool:
    """Whether a share is what is left of one."""
    named = all(share[name] == before[name] for name in ("allocation", "invoice_id"))
    return named and _whole(share, "taken") <= _whole(before, "taken")


def _shares(fields: Fields) -> Sequence[Fields]:
    return cast("Sequence[Fields]", fields.get("shares", ()))


def _whole(fields: Fields, name: str) -> int:
    return cast("int", fields[name])


def _open(invoice: Fields) -> int:
    return _whole(invoice, "gross") - sum(_whole(invoice, name) for name in ("corrected", "paid", "written_off"))
