"""`export`, `import` and `verify`: the journal taken away, brought in, and held against its seals."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from shared.cli.client import ApiRefused, Client
from shared.cli.importing import Imported, import_records
from shared.cli.journal_records import Record, in_file, line_of, over_api, to_verify
from shared.cli.signatures import NoPublicKey, trusted
from shared.cli.verbs import Key, Place, Url, client_of, place_of
from shared.ledger.rules.journal_text import NotWritable, beancount
from shared.ledger.rules.verifying import Finding, Verdict, verify

SEAL_DIGITS: Final = 18
"""Digits of a seal's number, more than any has."""

SHOWN: Final = 20
"""Findings or faults shown one by one; the rest are counted."""

Tenant = Annotated[str, typer.Option("--tenant", help="Whose books, where a key of theirs is known here.")]

_console: Final = Console(stderr=True, highlight=False)


def export_journal(  # noqa: PLR0913 - a command line: every parameter is an option
    context: typer.Context,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    form: Annotated[
        str, typer.Option("--format", help="jsonl (everything, to verify or import) or beancount (posted entries).")
    ] = "jsonl",
    tenant: Tenant = "",
    url: Url = "",
    key: Key = "",
) -> None:
    """Write the whole journal, as it stands at one instant, to a file."""
    if form not in _FORMS:
        message = f"the format is one of {', '.join(_FORMS)}"
        raise typer.BadParameter(message)
    if output.is_dir() or not output.parent.is_dir():
        message = f"{output} is a folder" if output.is_dir() else f"there is no folder {output.parent}"
        raise typer.BadParameter(message, param_hint="--output")
    client = tenants_client(place_of(context), tenant, url, key)
    entries, left_out = 0, 0
    with _bar("exported") as advance, _draft(output) as file:

        def counted() -> Iterator[Record]:
            nonlocal entries, left_out
            for record in over_api(client):
                if record["kind"] == "entry":
                    entries += 1
                    left_out += form == "beancount" and record["fields"].get("outcome") == "refused"
                    advance(1)
                yield record

        try:
            file.writelines(_FORMS[form](counted()))
        except NotWritable as error:
            raise ApiRefused(str(error)) from error
    written = f"{entries - left_out:,} entries in {output}"
    told = f"{written}; {left_out:,} refused ones left out" if left_out else written
    _say(told)


def import_journal(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A journal that `export` wrote, JSON Lines.")
    ],
    *,
    tenant: Tenant = "",
    url: Url = "",
    key: Key = "",
) -> None:
    """Post the entries of a journal file, then set its accounts and months; a second time it does nothing."""
    if not file.is_file():
        message = "a journal is read twice, so it is a file, not a pipe"
        raise typer.BadParameter(message, param_hint="FILE")
    client = tenants_client(place_of(context), tenant, url, key)
    with _bar("read", 2 * file.stat().st_size) as advance:
        imported = import_records(client, lambda: in_file(file, advance), lambda _: None)
    _tell_import(imported)
    if imported.faults:
        raise typer.Exit(1)


def verify_journal(  # noqa: PLR0913 - a command line: every parameter is an option
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="An exported journal; else it is read by the API."),
    ] = None,
    *,
    public_key: Annotated[
        Path, typer.Option("--public-key", exists=True, dir_okay=False, help="PEM of the keys that sign, one or more.")
    ],
    known: Annotated[str, typer.Option(help="A seal noted earlier, NUMBER:HASH: shows when the end is cut off.")] = "",
    tenant: Tenant = "",
    url: Url = "",
    key: Key = "",
) -> None:
    """Recompute the whole journal and name the first altered, missing or added entry; exit code 1 if there is one."""
    try:
        is_signed = trusted(public_key.read_text(encoding="utf-8", errors="replace"))
    except NoPublicKey as error:
        raise typer.BadParameter(str(error), param_hint="--public-key") from error
    noted = _noted(known)
    if file:
        with _bar("verified", file.stat().st_size) as advance:
            verdict = verify(to_verify(file, advance), is_signed, noted)
    else:
        client = tenants_client(place_of(context), tenant, url, key)
        with _bar("verified") as advance:
            verdict = verify(_told(over_api(client), advance), is_signed, noted)
    show_verdict(verdict)
    if not verdict.sound:
        raise typer.Exit(1)


def show_verdict(verdict: Verdict) -> None:
    """Say what a verification came to; the first finding first."""
    for finding in verdict.findings[:SHOWN]:
        _say(_line(finding))
    if verdict.found > SHOWN:
        _console.print(f"... and {verdict.found - SHOWN:,} more")
    head = f"last seal {verdict.head.number}:{verdict.head.hash}" if verdict.head else "no seal"
    found = "sound" if verdict.sound else f"NOT SOUND: {verdict.found:,} findings"
    _say(
        f"{found}: {verdict.entries:,} entries of {verdict.tenant}, {verdict.seals} seals, "
        f"{verdict.unsealed:,} entries not sealed yet; {head}"
    )


def _line(finding: Finding) -> str:
    where = f"seal {finding.seal}: " if finding.seal else ""
    return f"{where}{finding.what} {finding.name}: {finding.why}"


def _tell_import(imported: Imported) -> None:
    for told in (imported.faults, imported.left):
        for line in told[:SHOWN]:
            _say(line)
        if len(told) > SHOWN:
            _console.print(f"... and {len(told) - SHOWN} more")
    parts = [f"{imported.posted:,} posted", f"{imported.known:,} there already", f"{len(imported.faults):,} faults"]
    parts += [f"{imported.refused_there:,} refused ones left out"] if imported.refused_there else []
    parts += [f"{imported.memos:,} memos left behind (only their own books open them)"] if imported.memos else []
    parts += [f"{imported.restored:,} settings of accounts and months"] if imported.restored else []
    _say("; ".join(parts))


def _say(line: str) -> None:
    """Say one line. What a file says may steer a terminal, or break the line: it is shown, not obeyed."""
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in line)
    _console.print(shown, markup=False, soft_wrap=True)


def _json_lines(records: Iterable[Record]) -> Iterator[str]:
    return map(line_of, records)


_FORMS: Final[dict[str, Callable[[Iterable[Record]], Iterator[str]]]] = {
    "jsonl": _json_lines,
    "beancount": beancount,
}


def _told(records: Iterable[Record], advance: Callable[[int], object]) -> Iterator[Record]:
    for record in records:
        if record["kind"] == "entry":
            advance(1)
        yield record


def _noted(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    number, colon, digest = text.partition(":")
    if not colon or not number.isdecimal() or len(number) > SEAL_DIGITS:
        message = "a seal is noted as NUMBER:HASH"
        raise typer.BadParameter(message, param_hint="--known")
    return int(number), digest


def tenants_client(place: Place, tenant: str, url: str, key: str) -> Client:
    """A client of a tenant's books.

    Raises:
        ApiRefused: nothing says whose.
    """
    if not key and not tenant:
        message = "say whose books with --tenant, or give a key with --key"
        raise ApiRefused(message)
    return client_of(place, url, key or place.key(tenant) or _unknown(tenant))


def _unknown(tenant: str) -> str:
    message = f"no key of {tenant} is known here: give one with --key"
    raise ApiRefused(message)


@contextmanager
def _draft(output: Path) -> Iterator[TextIO]:
    """A file that is there once all of it is written, and otherwise as it was."""
    draft = output.with_name(f".{output.name}.part")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _bar(name: str, total: int | None = None) -> Iterator[Callable[[int], object]]:
    """A bar that counts; without a total it only moves."""
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console, disable=not _console.is_terminal) as progress:
        task = progress.add_task(name, total=total)
        yield lambda count: progress.advance(task, count)
