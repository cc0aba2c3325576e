"""What an import does last: accounts and closed months as the journal has them, once every entry is there.

Entries come in no order that a floor, a dropped currency, a frozen account or a closed month could bear, so all of
that waits for the last one. Only what differs is asked for, so a second import asks for nothing. An import sets what
the journal says and takes nothing back: it opens no month, thaws no account and removes no floor.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from shared.cli.client import ApiRefused, Client
from shared.cli.journal_records import Record, listed
from shared.ledger.rules.control import shards_for
from shared.ledger.rules.verifying import UNREADABLE

TRIES: Final = 8
PAUSE_SECONDS: Final = 0.25
REASON: Final = "import of a journal"

ACCOUNTS: Final = "/v1/ledger/accounts"
PERIODS: Final = "/v1/ledger/periods"

_DEGREES: Final = {"open": 0, "soft_closed": 1, "year_end": 1, "hard_closed": 2}

Step = tuple[str, dict[str, Any]]
"""A path and what is posted there."""


@dataclass(slots=True)
class Wanted:
    """What the journal says of its accounts, by code, and of its months."""

    accounts: dict[str, Record] = field(default_factory=dict)
    periods: dict[str, Record] = field(default_factory=dict)


@dataclass(slots=True)
class Restored:
    """What was set; `faults` were refused, `left` is what no door sets, or what an import does not take back."""

    changes: int = 0
    faults: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def restore(client: Client, wanted: Wanted) -> Restored:
    """Bring accounts, then months from the oldest on, to what the journal says.

    Raises:
        ApiRefused: the chart or the months cannot be read.
    """
    done = Restored()
    chart = {account["code"]: account for account in listed(client, ACCOUNTS)}
    for code, account in wanted.accounts.items():
        there = chart.get(code)
        if there is not None:
            _carry_out(client, f"account {code}", _account_steps(account, there, done), done)
    states = {period["period"]: period["state"] for period in listed(client, PERIODS)}
    for month, period in sorted(wanted.periods.items()):
        _carry_out(client, f"month {month}", _period_steps(period, states.get(month, "open"), done), done)
    return done


def _account_steps(account: Record, there: Record, done: Restored) -> Iterator[Step]:
    """In an order that each of them bears: a floor is added to an open account, a frozen one takes none."""
    path, name = f"{ACCOUNTS}/{account['code']}", f"account {account['code']}"
    if account["type"] != there["type"]:
        done.faults.append(f"{name}: it is there as {there['type']}, not {account['type']}")
        return
    currencies, metadata = account.get("currencies", []), account.get("metadata", {})
    if (account["name"], metadata) != (there["name"], there["metadata"]):
        done.left.append(f"{name} keeps the name and metadata that it has")
    if list(currencies) != list(there["currencies"]):
        yield f"{path}/currencies", {"currencies": currencies}
    yield from _shard_steps(account, there, done)
    if account["floor"] and account["floor"] != there["floor"]:
        yield f"{path}/floor", {"floor": account["floor"]}
    elif there["floor"] and not account["floor"]:
        done.left.append(f"{name} keeps its floor")
    yield from _state_steps(account.get("state", "open"), there["state"], (path, name), done)


def _shard_steps(account: Record, there: Record, done: Restored) -> Iterator[Step]:
    rate, shards = account.get("declared_rate"), account["shards"]
    if (shards, rate) == (there["shards"], there["declared_rate"]):
        return
    by_rate = rate is not None and shards_for(Decimal(rate)) == shards
    if there["floor"] or (rate is not None and not by_rate):
        done.left.append(f"account {account['code']} keeps its {there['shards']} shards")
        return
    yield f"{ACCOUNTS}/{account['code']}/reshard", {"rate": rate} if by_rate else {"shards": shards}


def _state_steps(state: str, there: str, place: tuple[str, str], done: Restored) -> Iterator[Step]:
    path, name = place
    if state == there:
        return
    if state in {"frozen", "closed"} and there == "open":
        yield f"{path}/{'freeze' if state == 'frozen' else 'close'}", {}
    else:
        done.left.append(f"{name} is {there}, and was {state}")


def _period_steps(period: Record, there: str, done: Restored) -> Iterator[Step]:
    month, state = period["month"], period["state"]
    if state == "year_end":
        done.left.append(f"month {month} was the last of a year that was being closed: it is soft closed")
    if _DEGREES[state] > _DEGREES[there]:
        yield f"{PERIODS}/{month}/close", {"kind": "hard" if state == "hard_closed" else "soft"}


def _carry_out(client: Client, name: str, steps: Iterator[Step], done: Restored) -> None:
    """Ask for step after step; after one that is refused no further one of the same account or month."""
    try:
        for path, body in steps:
            _asked(client, path, {**body, "reason": REASON})
            done.changes += 1
    except ApiRefused as refused:
        done.faults.append(f"{name}: {refused}")
    except (*UNREADABLE, ArithmeticError) as error:
        done.faults.append(f"{name}: the record is not whole ({type(error).__name__} {error})")


def _asked(client: Client, path: str, body: dict[str, Any]) -> None:
    """Ask under one key for all tries, so that an operation whose answer was lost is done once."""
    key = client.fresh_key()
    for attempt in range(1, TRIES):
        try:
            client.post(path, body, key)
        except ApiRefused as refused:
            if not refused.may_pass:
                raise
            time.sleep(PAUSE_SECONDS * attempt)
        else:
            return
    client.post(path, body, key)
