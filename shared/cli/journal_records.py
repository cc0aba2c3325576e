"""A journal's records: over the API, or from a JSON Lines file, one at a time."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from shared.cli.client import ApiRefused, Client
from shared.ledger.refusals import JournalAltered
from shared.ledger.rules.seals import leaves_records
from shared.ledger.rules.verifying import SCHEMA
from shared.limits import JOURNAL_PAGE

Record: TypeAlias = Mapping[str, Any]
PAGE: Final = 200
NOT_FOUND: Final = 404


def over_api(client: Client) -> Iterator[Record]:
    """A whole journal over the API: seals with their leaves, chart, entries, totals, periods, the end.

    Seals come first: the entries are read at a later instant, so what the seals cover is among them.

    Raises:
        ApiRefused: not reachable, or answered with a problem.
    """
    seals = list(listed(client, "/v1/ledger/seals"))
    unreadable = list(_newest_unreadable(client, seals))
    entries, cursor, first = 0, "", True
    while cursor or first:
        page = client.get(f"/v1/ledger/journal?limit={JOURNAL_PAGE}" + (f"&cursor={cursor}" if cursor else ""))
        if first:
            yield {"kind": "journal", "schema": SCHEMA, "tenant": page["tenant"]}
            for seal in seals:
                yield from _seal(client, seal)
            yield from unreadable
            first = False
        yield from page["chart"] or ()
        yield from page["items"]
        yield from page["totals"] or ()
        yield from page["periods"] or ()
        entries, cursor = entries + len(page["items"]), page["next_cursor"]
        if not cursor:
            yield {"kind": "end", "entries": entries, "read_at": page["read_at"]}


def _seal(client: Client, seal: Record) -> Iterator[Record]:
    def read(page: int) -> list[list[Any]] | None:
        try:
            leaves: list[list[Any]] = client.get(f"/v1/ledger/seals/{seal['number']}/leaves?page={page}")["leaves"]
        except ApiRefused as refused:
            if refused.status != NOT_FOUND:
                raise
            return None
        return leaves

    yield seal["record"]
    yield from leaves_records(seal["number"], seal["pages"], read)


def _newest_unreadable(client: Client, seals: Sequence[Record]) -> Iterator[Record]:
    """A seal behind the newest of the list that is there and cannot be read: of any other the gap tells."""
    number = 1 + max((seal["number"] for seal in seals), default=0)
    try:
        client.get(f"/v1/ledger/seals/{number}")
    except ApiRefused as refused:
        if refused.code == JournalAltered.code:
            yield {"kind": "seal", "number": number}
        elif refused.status != NOT_FOUND:
            raise


def listed(client: Client, path: str) -> Iterator[dict[str, Any]]:
    """All items of a list, page by page.

    Raises:
        ApiRefused: not reachable, or answered with a problem.
    """
    cursor, first = "", True
    while cursor or first:
        page = client.get(f"{path}?limit={PAGE}" + (f"&cursor={cursor}" if cursor else ""))
        yield from page["items"]
        cursor, first = page["next_cursor"], False


def in_file(path: Path, advance: Callable[[int], object]) -> Iterator[tuple[int, Record | None]]:
    """The records of a JSON Lines file by their line's number; None where a line is none. `advance` hears of bytes."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            advance(len(line))
            if line.strip():
                yield number, _record(line)


def to_verify(path: Path, advance: Callable[[int], object]) -> Iterator[Record]:
    """The records of a file; a line that is none is one of no kind, named by its number."""
    for number, record in in_file(path, advance):
        yield {"id": f"line {number}"} if record is None else record


def _record(line: bytes) -> Record | None:
    try:
        record = json.loads(line, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that names each of its members once: of two, one reader would take the first, another the last."""
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "a member is named twice"
        raise ValueError(message)
    return members


def line_of(record: Record) -> str:
    """A record as a line of a file."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
