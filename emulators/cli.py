"""`daybook`: the local cloud's verbs, and the API's pointed at it. Errors are one line."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emulators import calls, partner_verbs, supervisor
from emulators.addresses import LOOPBACK, answers, fetch
from emulators.catalogue import REPOSITORY
from emulators.durations import parse_duration
from emulators.here import Here, here_of
from emulators.processes import CloudFault
from emulators.state import Home, State
from shared.cli import journal, proving, verbs
from shared.cli.client import ApiRefused
from shared.faults import Fault

console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)


class OneLineErrors(typer.core.TyperGroup):
    """What a person can act on is said in one line; only bugs show a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (CloudFault, ApiRefused, Fault, OSError) as fault:
            complaints.print(f"[red]daybook:[/red] {escape(str(fault))}", soft_wrap=True)
            raise typer.Exit(1) from None


app = typer.Typer(cls=OneLineErrors, no_args_is_help=True, add_completion=False, help="Daybook's cloud on a laptop.")
clock = typer.Typer(no_args_is_help=True, help="The one clock of the whole local cloud.")
app.add_typer(clock, name="clock")
app.add_typer(verbs.tenant, name="tenant")
app.add_typer(verbs.keys, name="keys")
app.command("trigger")(partner_verbs.trigger)
app.command("listen")(partner_verbs.listen)
app.command("export")(journal.export_journal)
app.command("import")(journal.import_journal)
app.command("verify")(journal.verify_journal)
app.command("prove")(proving.prove)


HomeOption = Annotated[Path, typer.Option("--home", envvar="DAYBOOK_HOME", help="State folder of the local cloud.")]


@app.callback()
def daybook(context: typer.Context, home: HomeOption = REPOSITORY / ".daybook") -> None:
    """Daybook's cloud on a laptop."""
    context.obj = Here(Home(home.resolve()))


@app.command()
def up(
    context: typer.Context,
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the secrets and logs of earlier clouds too.")] = False,
    at: Annotated[str, typer.Option("--at", help="Begin at this instant, e.g. 2026-11-01T08:00Z.")] = "",
    doors: Annotated[str, typer.Option("--doors", envvar="DAYBOOK_DOORS", hidden=True, help="Only these.")] = "",
) -> None:
    """Start everything, in the background. The books begin empty."""
    home = here_of(context).home
    if fresh and not home.runner():
        home.clear()
    wish = supervisor.Wish(tuple(filter(None, doors.split(","))), _instant(at) if at else None)
    with console.status("starting") as status:

        def tell(line: str) -> None:
            console.print(f"  {line}", style="dim")
            status.update(line)

        state = supervisor.bring_up(home, wish, tell)
    console.print(f"[green]up[/green]: {len(state.doors)} doors on {state.environment['DAYBOOK_DOORS_URL']}")
    console.print(
        "next: [bold]daybook tenant create acme[/bold], [bold]daybook status[/bold]; the end: [bold]daybook down[/bold]"
    )


@app.command()
def down(context: typer.Context) -> None:
    """Stop everything. Doing it twice is harmless."""
    home = here_of(context).home
    with console.status("stopping"):
        was_up = supervisor.bring_down(home)
    console.print("down" if was_up else "nothing was up")


@app.command()
def status(context: typer.Context) -> None:
    """Show processes, addresses, health and the clock; exit code 1 when something is not well."""
    here = here_of(context)
    state = here.state()
    table = Table("process", "pid", "address", "health", title=str(here.home.path), title_justify="left")
    well = True
    for name, process in state.processes.items():
        addresses, healthy = _health(name, state)
        healthy = healthy and process.alive()
        well = well and healthy
        table.add_row(name, str(process.pid), addresses, "[green]well[/green]" if healthy else "[red]not well[/red]")
    console.print(table)
    console.print(
        f"clock {_text(here.clock().now())}   doors {here.url()}   logs {here.home.path / 'logs'}", soft_wrap=True
    )
    console.print(f"waiting: {_waiting(state)}")
    if not well:
        raise typer.Exit(1)


@app.command()
def call(
    context: typer.Context,
    function: Annotated[str, typer.Argument(help="A function of the catalogue.")],
    body: Annotated[str, typer.Argument(help="JSON to send.")] = "",
    tenant: Annotated[str, typer.Option(help="Whose key opens a public door.")] = verbs.PLATFORM,
) -> None:
    """Call a door as its trigger would, with the right token."""
    here = here_of(context)
    answer = calls.trigger(here.state(), function, _json(body), here.key(tenant))
    console.print(f"{answer.status} {answer.text}", soft_wrap=True, markup=False)
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's success
        raise typer.Exit(1)


@app.command()
def fire(context: typer.Context, job: Annotated[str, typer.Argument(help="A job of the catalogue.")]) -> None:
    """Let Cloud Scheduler run a job now."""
    from google.api_core.exceptions import GoogleAPICallError  # noqa: PLC0415 - Google's clients cost half a second

    from emulators import provision  # noqa: PLC0415 - as above

    settings = here_of(context).settings()
    with provision.scheduler_client(settings.tasks_endpoint) as client:
        try:
            client.run_job(name=provision.job_name(settings, job), timeout=20)
        except GoogleAPICallError as error:
            message = f"{job} was not fired: {error.message}"
            raise CloudFault(message) from error
    console.print(f"{job} fired")


@app.command("seal-key")
def seal_key(context: typer.Context) -> None:
    """Write the public key that seals are verified with, PEM."""
    from shared.gcp.kms_signing import KmsSigner  # noqa: PLC0415 - gRPC costs half a second

    sys.stdout.write(KmsSigner(here_of(context).settings()).public_key())


@clock.command("show")
def show_clock(context: typer.Context) -> None:
    """Say what time it is in the local cloud."""
    console.print(_text(here_of(context).clock().now()))


@clock.command("set")
def set_clock(
    context: typer.Context, instant: Annotated[str, typer.Argument(help="ISO 8601, UTC unless it says.")]
) -> None:
    """Move the clock forward to an instant; what becomes due runs."""
    shared, target = here_of(context).clock(), _instant(instant)
    if target < shared.now():
        message = (
            f"time only moves forward, and it is {_text(shared.now())}; `daybook up --at {instant}` begins earlier"
        )
        raise CloudFault(message)
    shared.set(target)
    console.print(_text(shared.now()))


@clock.command("advance")
def advance_clock(context: typer.Context, by: Annotated[str, typer.Argument(help="1d, 2h, 30m, 1d12h")]) -> None:
    """Move the clock forward by a duration; what becomes due runs."""
    console.print(_text(here_of(context).clock().advance(parse_duration(by))))


# --- parts -------------------------------------------------------------------------------


def _health(name: str, state: State) -> tuple[str, bool]:
    ports = state.ports
    match name:
        case "services":
            address = f"grpc {LOOPBACK}:{ports['services_grpc']}, http {LOOPBACK}:{ports['services_http']}"
            return address, answers(f"http://{LOOPBACK}:{ports['services_http']}/healthz")
        case "host":
            return f"{LOOPBACK}:{ports['doors']}", answers(f"http://{LOOPBACK}:{ports['doors']}/healthz")
        case _:
            return f"{LOOPBACK}:{ports[name]}", answers(f"http://{LOOPBACK}:{ports[name]}/")


def _waiting(state: State) -> str:
    body = fetch(f"{state.environment['DAYBOOK_OIDC_ISSUER']}/admin/idle")
    if body is None:
        return "not known"
    tasks = json.loads(body)["tasks"]
    return ", ".join(f"{count} tasks {word}" for word, count in tasks.items())


def _json(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        message = f"the body is not JSON: {error}"
        raise CloudFault(message) from error


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text} is no instant: write 2026-11-01T08:00Z"
        raise CloudFault(message) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(sep=" ", timespec="seconds")


if __name__ == "__main__":
    app(prog_name="daybook")
