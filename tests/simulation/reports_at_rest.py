"""What the product's own reads say at rest, beside the fold of the entries as they were committed."""

from collections import Counter
from datetime import date
from typing import Any, Final, cast

from shared.faults import Refused, Retryable
from shared.ledger.model import AccountState
from shared.ledger.rules.statements import Question
from shared.wiring import House
from tests.simulation.business import Business
from tests.simulation.invariants import Watch

PAGE: Final = 20
"""Small, so that a statement has several."""

FIRST, LAST, THROUGH = date(2026, 1, 1), date(2027, 12, 31), "2027-12"


def reports(business: Business, watch: Watch) -> None:
    """Trial balance, balances and statements are the entries' sums; accounts stand as what was done to them says."""
    house, world = business.cloud.house(), business.cloud.world
    debits: Counter[tuple[str, str]] = Counter()
    credits_: Counter[tuple[str, str]] = Counter()
    for (tenant, code, currency, _), counted in watch.folds.items():
        if tenant == business.tenant:
            debits[code, currency] += counted["debits"]
            credits_[code, currency] += counted["credits"]
    folded = {key: (debits[key], credits_[key]) for key in debits if debits[key] or credits_[key]}
    try:
        _trial_balance(business, house, folded)
        for code in sorted({code for code, _ in folded}):
            _one(business, house, code, {key[1]: sums for key, sums in folded.items() if key[0] == code})
    except (Refused, Retryable) as fault:
        world.violated(f"the books could not be read: {fault.code}")
    _accounts(business, watch, folded)


def _trial_balance(business: Business, house: House, folded: dict[tuple[str, str], tuple[int, int]]) -> None:
    read = house.reports.trial_balance(business.tenant, THROUGH)
    rows = {(row.account, row.currency): (row.debits, row.credits) for row in read.rows if row.debits or row.credits}
    if rows != folded:
        wrong = sorted(key for key in rows.keys() | folded.keys() if rows.get(key) != folded.get(key))
        business.cloud.world.violated(f"the trial balance is not the sum of the entries: {wrong}")


def _one(business: Business, house: House, code: str, folded: dict[str, tuple[int, int]]) -> None:
    """An account's balance, and the last line of its statement."""
    world = business.cloud.world
    balance = house.balances.on(business.tenant, code, LAST)
    rows = {row.currency: (row.debits, row.credits) for row in balance.rows if row.debits or row.credits}
    if rows != folded:
        world.violated(f"{code} has a balance of {rows}, its entries {folded}")
    call = business.people[0]._call("statement", code, world.now, once=False)
    question, cursor, lines = Question(business.tenant, code, FIRST, LAST), None, 0
    while True:
        page = house.statements.page(call, question, PAGE, cursor)
        lines, cursor = lines + len(page.lines), page.next_cursor
        if cursor is None:
            break
    side = 1 if balance.account.type.normal_side.value == "debit" else -1
    nets = {currency: side * (one - other) for currency, (one, other) in folded.items() if one != other}
    said = {currency: amount for currency, amount in page.closing.items() if amount}
    if said != nets or not lines:
        world.violated(f"the statement of {code} ends at {said} after {lines} lines, its entries at {nets}")


def _accounts(business: Business, watch: Watch, folded: dict[tuple[str, str], tuple[int, int]]) -> None:
    """What is closed is empty, what has a floor is not below it, what was brought in is there to the cent."""
    world, prefix = business.cloud.world, f"/documents/tenants/{business.tenant}/accounts/"
    for name, state in business.cloud.store.documents.now().items():
        if prefix not in name:
            continue
        code, fields = name.rsplit("/", 1)[-1], cast("Any", state.fields)
        nets = [one - other for key, (one, other) in folded.items() if key[0] == code]
        if fields["state"] == AccountState.CLOSED.value and any(nets):
            world.violated(f"{code} is closed and stands at {nets}")
        if fields["state"] in {AccountState.CLOSING.value, AccountState.ADDING_FLOOR.value}:
            world.violated(f"{code} is left {fields['state']}")
        floor = fields["floor"]
        if floor is not None and watch.stands(business.tenant, code) + floor["limit"] < 0:
            world.violated(f"{code} stands below its floor")
    for code, net in business.brought_in.items():
        one, other = folded.get((code, "GBP"), (0, 0))
        if one - other != net:
            world.violated(f"{code} was brought in with {net} and stands at {one - other}")
