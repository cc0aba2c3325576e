"""`prove`: the books of a tenant proven now, shown as a table; the exit code says whether they hold."""

import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from shared.cli.client import ApiRefused, Client
from shared.cli.journal import Tenant, tenants_client
from shared.cli.verbs import Key, Url, place_of

PROOFS: Final = "/v1/ledger/reports/proofs"
PAUSE_SECONDS: Final = 0.5

FAULTS: Final = {
    "differences": "totals unlike the entries",
    "out_of_balance": "currencies out of balance",
    "floors": "floors that allow something else",
    "altered": "entries unlike their content hash",
    "reserved": "reserved sums unlike open holds",
    "shifts": "shifts unlike the entries",
    "carried": "carried balances unlike the entries",
}
"""What a proof counts, in the order in which it is shown."""

_console: Final = Console(highlight=False)


def prove(  # noqa: PLR0913 - a command line: every parameter is an option
    context: typer.Context,
    *,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit record.")] = "asked on the command line",
    wait_seconds: Annotated[int, typer.Option("--wait", min=1, help="Seconds to wait for the proof.")] = 600,
    tenant: Tenant = "",
    url: Url = "",
    key: Key = "",
) -> None:
    """Have the whole books recomputed from their entries; exit code 1 if anything differs or no proof came in time."""
    client = tenants_client(place_of(context), tenant, url, key)
    proof = _made(client, client.post(PROOFS, {"reason": reason})["id"], wait_seconds)
    show_proof(proof)
    if not proof["holds"]:
        raise typer.Exit(1)


def _made(client: Client, proof_id: str, wait_seconds: int) -> Mapping[str, Any]:
    """The proof once its task has made it; what may pass while it is waited for is asked again.

    Raises:
        ApiRefused: it was not made in time, or cannot be read.
    """
    ends_at = time.monotonic() + wait_seconds
    while True:
        try:
            proof = client.get(f"{PROOFS}/{proof_id}")
            if proof["state"] == "proven":
                return proof
        except ApiRefused as refused:
            if not refused.may_pass:
                raise
        if time.monotonic() > ends_at:
            message = f"the proof {proof_id} is not made yet: its task goes on, ask GET {PROOFS}/{proof_id} later"
            raise ApiRefused(message)
        time.sleep(PAUSE_SECONDS)


def show_proof(proof: Mapping[str, Any]) -> None:
    """A row for each thing that is proven, then the first places where something is wrong."""
    table = Table("proven", "", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for name in ("entries", "accounts"):
        table.add_row(name, f"{proof[name]:,}")
    for name, words in FAULTS.items():
        table.add_row(words, f"{proof[name]:,}")
    _console.print(table)
    for place in proof["named"]:
        _console.print(f"differs: {place}", markup=False, soft_wrap=True)
    told = "the books hold" if proof["holds"] else "THE BOOKS DO NOT HOLD"
    _console.print(f"{told} as of {proof['proven_at']} (proof {proof['id']})", markup=False, soft_wrap=True)
