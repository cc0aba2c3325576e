"""A journal file posted into the books of a tenant: in batches, several at once, each entry once.

An entry's key is its id in the file, so a second import finds every entry there and posts nothing. A refusal stands
under that key for ever: an import that finds one there asks again under the next, for what was in the way may be gone.
What is wrong with one line is said with its number; every other line stands. The file is read twice: first for its
accounts, for an entry that comes before its account would be refused, and for whether it is whole.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from shared.cli.client import ApiRefused, Client
from shared.cli.journal_records import Record
from shared.cli.restoring import Wanted, restore
from shared.faults import IdempotencyKeyReused
from shared.ledger.line_text import read_lines
from shared.ledger.model import EntryKind
from shared.ledger.rules.verifying import SCHEMA, UNREADABLE

BATCH: Final = 200
LINES: Final = 900
THREADS: Final = 2
TRIES: Final = 8
PAUSE_SECONDS: Final = 0.25
AT_FAULT: Final = frozenset({400, 413, 422})
"""Statuses that are about what a line says: any other no is about all of them."""
NO_SUCH_ENTRY: Final = frozenset({400, 404, 422})
"""Statuses that answer a question for an entry that is not there, or has no id that one could have."""

Numbered: TypeAlias = tuple[int, Record | None]
Lines: TypeAlias = Callable[[], Iterable[Numbered]]
"""The file's records from the first on, each time it is called."""


@dataclass(frozen=True, slots=True)
class Order:
    """One entry to post: the number of its line, its id in the file, which of its keys, and the body without it."""

    line: int
    id: str
    body: dict[str, Any]
    number: int = 1

    @property
    def key(self) -> str:
        """The key that names it in these books."""
        return self.id if self.number == 1 else f"{self.id}.{self.number}"


@dataclass(slots=True)
class Imported:
    """What an import came to; `faults` name lines and why."""

    posted: int = 0
    known: int = 0
    """Entries that were there already, be it from a try of this very import whose answer was lost."""
    refused_there: int = 0
    """Entries that were refused where they come from: they moved nothing and are not posted."""
    memos: int = 0
    """Memos that stay behind: only the key of the books they were written in opens them."""
    restored: int = 0
    """Operations that set accounts and months as the journal has them, once all entries were there."""
    left: list[str] = field(default_factory=list)
    """What stays as it is there, and why."""
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Survey:
    """What a file holds, as a first reading tells; nothing is posted meanwhile."""

    accounts: list[tuple[int, Record]] = field(default_factory=list)
    """In the order of the file, with the numbers of their lines."""
    wanted: Wanted = field(default_factory=Wanted)
    entries: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    """Why the file as a whole is not what its end says; each entry of it may stand all the same."""
    foreign: bool = False
    """Whether it is written in a form that is not ours: then nothing of it is believed."""


def import_records(client: Client, lines: Lines, tell: Callable[[Imported], object]) -> Imported:
    """Post all entries of a file, opening accounts that are not there; `tell` hears of every batch.

    Floors, currencies and states of accounts, and closed months, are set at the end, if there was no fault.

    Raises:
        ApiRefused: the API cannot be reached, or does not let this key post.
    """
    survey = surveyed(lines())
    imported = Imported(faults=survey.faults)
    if survey.foreign or _are_its_own(client, survey, imported):
        return imported
    for line, account in survey.accounts:
        _open_account(client, account, line, imported)
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: set[Future[Imported]] = set()
        for batch in _batches(_orders(lines(), imported)):
            waiting.add(pool.submit(_post, client, batch))
            if len(waiting) >= 2 * THREADS:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                _add(imported, done, tell)
        _add(imported, waiting, tell)
    _end(client, imported, survey)
    return imported


def _end(client: Client, imported: Imported, survey: Survey) -> None:
    """Set accounts and months, unless entries are still to come: closed, their month would take them no more."""
    if imported.faults:
        why = "there are faults: floors, currencies and states of accounts, and closed months, are not set"
        imported.left.append(why)
        return
    restored = restore(client, survey.wanted)
    imported.restored = restored.changes
    imported.left += restored.left
    imported.faults += restored.faults


def _add(imported: Imported, done: Iterable[Future[Imported]], tell: Callable[[Imported], object]) -> None:
    for future in done:
        part = future.result()
        imported.posted += part.posted
        imported.known += part.known
        imported.faults += part.faults
    tell(imported)


# --- reading -----------------------------------------------------------------------------


def surveyed(lines: Iterable[Numbered]) -> Survey:
    """Read a file for what it holds. Of two lines about one account or month the last counts."""
    survey, counted = Survey(), "nothing"
    for line, record in lines:
        match record or {}:
            case {"kind": "journal", "schema": schema} if schema != SCHEMA:
                survey.foreign = True
                survey.faults.append(f"line {line}: a journal of schema {schema!r}, only {SCHEMA} is known")
            case {"kind": "account"} as account:
                survey.accounts.append((line, account))
                survey.wanted.accounts[str(account.get("code"))] = account
            case {"kind": "period", "month": str(month)} as period:
                survey.wanted.periods[month] = period
            case {"kind": "entry", "id": str(entry_id)}:
                survey.entries.add(entry_id)
            case {"kind": "end"} as end:
                counted = repr(end.get("entries"))
    if counted == "nothing":
        survey.faults.append("the file has no end: it is cut off")
    elif counted != repr(len(survey.entries)):
        survey.faults.append(f"the file's end counts {counted} entries, {len(survey.entries)} are there")
    return survey


def _are_its_own(client: Client, survey: Survey, imported: Imported) -> bool:
    """Whether the entries stand in these books under their own ids: under keys of them they would be posted twice."""
    if not survey.entries:
        return False
    try:
        client.get(f"/v1/ledger/entries/{quote(min(survey.entries), safe='')}")
    except ApiRefused as refused:
        if refused.status not in NO_SUCH_ENTRY:
            raise
        return False
    imported.faults.append("the journal is of these very books: all of its entries are there")
    return True


def _orders(lines: Iterable[Numbered], imported: Imported) -> Iterator[Order]:
    for line, record in lines:
        try:
            match record or {}:
                case {"kind": "entry", "fields": {"outcome": "refused"}}:
                    imported.refused_there += 1
                case {"kind": "entry", "fields": {"outcome": "posted"}} as entry:
                    yield Order(line, str(entry["id"]), _body(entry, imported))
                case {"kind": "journal" | "account" | "seal" | "leaves" | "total" | "end"}:
                    continue
                case {"kind": "period", "month": str(), "state": "soft_closed" | "year_end" | "hard_closed"}:
                    continue
                case _:
                    imported.faults.append(f"line {line}: no record of a journal")
        except UNREADABLE as error:
            imported.faults.append(_not_whole(line, error))


def _not_whole(line: int, error: Exception) -> str:
    return f"line {line}: the record is not whole ({type(error).__name__} {error})"


def _open_account(client: Client, record: Record, line: int, imported: Imported) -> None:
    try:
        body = {name: record[name] for name in ("code", "type", "name", "shards")}
        body |= {name: record[name] for name in ("declared_rate", "metadata") if record.get(name)}
        _until_decided(client, "/v1/ledger/accounts", body)
    except UNREADABLE as error:
        imported.faults.append(_not_whole(line, error))
    except ApiRefused as refused:
        if refused.code == "account_exists":
            return
        if refused.status not in AT_FAULT:
            raise
        imported.faults.append(f"line {line}: {refused}")


def _until_decided(client: Client, path: str, body: dict[str, Any]) -> None:
    for attempt in range(1, TRIES):
        try:
            client.post(path, body)
        except ApiRefused as refused:
            if not refused.may_pass:
                raise
            time.sleep(PAUSE_SECONDS * attempt)
        else:
            return
    client.post(path, body)


def _body(record: Record, imported: Imported) -> dict[str, Any]:
    fields = record["fields"]
    lines = [
        {
            "account": line.account,
            "side": line.side.value,
            "amount": {"amount": line.money.amount, "currency": line.money.currency},
        }
        for line in read_lines(fields["lines"])
    ]
    rates = [
        {"from": rate["base"], "to": rate["quote"], "rate": rate["rate"], "source": rate["source"]}
        for rate in fields.get("rates", ())
    ]
    imported.memos += "memo" in fields
    return {
        "lines": lines,
        "effective_on": date.fromisoformat(fields["effective_on"]).isoformat(),
        # a year's end closes no books but its own: elsewhere it is an adjustment
        "kind": "regular" if EntryKind(fields["kind"]) is EntryKind.REGULAR else "adjusting",
        "reference": fields["reference"],
        **({"metadata": fields["metadata"]} if fields.get("metadata") else {}),
        **({"rates": rates} if rates else {}),
    }


def _batches(orders: Iterable[Order]) -> Iterator[list[Order]]:
    batch: list[Order] = []
    keys, lines = set[str](), 0
    for order in orders:
        size = len(order.body["lines"])
        if batch and (len(batch) == BATCH or lines + size > LINES or order.key in keys):
            yield batch
            batch, keys, lines = [], set(), 0
        batch.append(order)
        keys.add(order.key)
        lines += size
    if batch:
        yield batch


# --- posting -----------------------------------------------------------------------------


def _post(client: Client, orders: Sequence[Order]) -> Imported:
    """Post a batch; one that cannot be read as a whole is halved until the line at fault stands alone."""
    part, left, attempt = Imported(), list(orders), 0
    while left and attempt < TRIES:
        if attempt:
            time.sleep(PAUSE_SECONDS * attempt)
        entries = [{"key": order.key, **order.body} for order in left]
        try:
            answer = client.post("/v1/ledger/batches", {"mode": "independent", "entries": entries})
        except ApiRefused as refused:
            if refused.may_pass:
                attempt += 1
                continue
            return _halved(client, left, refused, part)
        undecided, anew = _settle(left, answer["entries"], part)
        attempt += bool(undecided)
        left = undecided + anew
    part.faults += [f"line {order.line}: not decided after {TRIES} tries, import again" for order in left]
    return part


def _halved(client: Client, orders: Sequence[Order], refused: ApiRefused, part: Imported) -> Imported:
    if refused.status not in AT_FAULT:
        raise refused
    if len(orders) == 1:
        part.faults.append(f"line {orders[0].line}: {refused}")
        return part
    middle = len(orders) // 2
    for half in (orders[:middle], orders[middle:]):
        result = _post(client, half)
        part.posted += result.posted
        part.known += result.known
        part.faults += result.faults
    return part


def _settle(orders: Sequence[Order], answers: Sequence[Record], part: Imported) -> tuple[list[Order], list[Order]]:
    """Count what was decided; what was not comes back, and what an earlier import was refused, under its next key."""
    undecided, anew = list[Order](), list[Order]()
    for order, answer in zip(orders, answers, strict=True):
        match answer["outcome"]:
            case "posted":
                part.known += answer["replayed"]
                part.posted += not answer["replayed"]
            case "refused" if answer["refusal"]["code"] == IdempotencyKeyReused.code:
                why = "another principal's import posted it, or it said something else then"
                part.faults.append(f"line {order.line}: it is there under its key, and differs: {why}")
            case "refused" if answer["replayed"]:
                anew.append(replace(order, number=order.number + 1))
            case "refused":
                why = answer["refusal"]
                part.faults.append(f"line {order.line}: {why['detail']} (code {why['code']}, {why['context']})")
            case _:
                undecided.append(order)
    return undecided, anew
