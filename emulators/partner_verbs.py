"""`trigger` and `listen`: partners' events on request, and every delivery, in and out, as it happens."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated, Any

import typer

from emulators.durations import parse_duration
from emulators.here import Here, here_of
from emulators.listening import Deliveries, Seen
from emulators.partners import PARTNERS
from emulators.partners.telling import Happening, Payer, in_words
from emulators.processes import CloudFault
from emulators.trigger import Outcome, happenings, invoice_named, kind_named, kinds_told, tell
from shared.cli.verbs import PLATFORM
from shared.identity import SystemIds
from shared.money import Money

LOOK_SECONDS = 0.5

TenantOption = Annotated[str, typer.Option("--tenant", help="Whose; may be left out where there is one only.")]
JsonOption = Annotated[bool, typer.Option("--json", help="A JSON line each.")]


def trigger(  # noqa: PLR0913 - a command line: every parameter is an option
    context: typer.Context,
    event: Annotated[str, typer.Argument(help="What happened, e.g. payment.succeeded or dispute.lost.")] = "",
    *,
    partner: Annotated[str, typer.Option(help="Who tells it.")] = "stripe",
    tenant: TenantOption = "",
    amount: Annotated[int, typer.Option(min=1, help="Minor units.")] = 1050,
    currency: Annotated[str, typer.Option(help="ISO 4217.")] = "EUR",
    fee: Annotated[int, typer.Option(min=0, help="What the partner keeps, where its events tell that.")] = 0,
    invoice: Annotated[str, typer.Option(help="An invoice's id or number.")] = "",
    payment: Annotated[str, typer.Option(help="The partner's id of a payment that was told before.")] = "",
    object_id: Annotated[str, typer.Option("--object", help="The same of a refund, dispute or payout.")] = "",
    event_id: Annotated[str, typer.Option("--id", help="The event's id: the same again is told twice.")] = "",
    as_json: JsonOption = False,
    show: Annotated[bool, typer.Option("--list", help="Show what each partner tells, and do nothing.")] = False,
) -> None:
    """Let a partner tell an event, truly signed, and show what became of it."""
    if show or not event:
        _show_kinds()
        return
    here, ids = here_of(context), SystemIds()
    owner = here.tenant(tenant, PLATFORM)
    asked = Happening(
        kind_named(event),
        event_id or f"evt_{ids.token(10)}",
        here.clock().now(),
        Money(amount, currency.upper()),
        payment=payment,
        object=object_id,
        fee=Money(fee, currency.upper()) if fee else None,
        payer=Payer("Jo Example", "jo@example.com", "DE"),
    )
    if invoice:
        found = invoice_named(here.client(owner), invoice)
        asked = replace(asked, invoice_id=found["id"], reference=found["number"] or "")
    for told in happenings(_partner(partner), asked, ids):
        _show_outcome(tell(here, owner, partner, told), as_json=as_json)


def listen(
    context: typer.Context,
    *,
    tenant: TenantOption = "",
    since: Annotated[str, typer.Option(help="How far back to begin by the cloud's clock: 1d, 2h, 30m.")] = "",
    once: Annotated[bool, typer.Option("--once", help="Show what there is (without --since all) and end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show every delivery: partners' webhooks in, ours out to endpoints. Until Ctrl-C."""
    here = here_of(context)
    deliveries = Deliveries(here.home.log("doors"), here.client(owner := here.tenant(tenant, PLATFORM)), owner)
    first = _begin(here, since, once=once)
    if once:
        for seen in deliveries.look(first, patient=False):
            _show_seen(seen, as_json=as_json)
        return
    sys.stderr.write(f"listening to {owner} on {here.url()}; Ctrl-C ends it\n")
    try:
        while True:
            for seen in deliveries.look(first, patient=True):
                _show_seen(seen, as_json=as_json)
            here.state()
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        return


def _begin(here: Here, since: str, *, once: bool) -> datetime | None:
    """Since when; None is from the beginning."""
    now = here.clock().now()
    if since:
        return now - parse_duration(since)
    return None if once else now


def _partner(name: str) -> str:
    if name in PARTNERS:
        return name
    message = f"no partner is called {name}: {', '.join(PARTNERS)}"
    raise CloudFault(message)


def _show_kinds() -> None:
    for kind in kinds_told():
        told = (name if kind in partner.kinds else "-" * len(name) for name, partner in PARTNERS.items())
        sys.stdout.write(f"{in_words(kind):<18} {' '.join(told)}\n")


def _show_outcome(outcome: Outcome, *, as_json: bool) -> None:
    fields = {name: value for name, value in asdict(outcome).items() if value}
    _show(fields, as_json=as_json)


def _show_seen(seen: Seen, *, as_json: bool) -> None:
    fields: dict[str, Any] = {name: value for name, value in asdict(seen).items() if value not in {None, ""}}
    _show(fields | {"at": seen.at.isoformat(timespec="milliseconds")}, as_json=as_json)


def _show(fields: Mapping[str, Any], *, as_json: bool) -> None:
    """A line: as JSON, or names and values for people."""
    plain = "  ".join(f"{name.replace('_id', '')} {value}" for name, value in fields.items())
    sys.stdout.write(f"{json.dumps(fields) if as_json else plain}\n")
    sys.stdout.flush()
