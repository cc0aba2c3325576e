"""Doors that only say what they were asked, loaded through functions-framework like ours."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Eventually = Callable[[Callable[[], object], str], None]
Daybook = Callable[..., subprocess.CompletedProcess[str]]

DOORS = {
    "accounts": "ledger",
    "start_ledger_proofs": "ledger",
    "prove_ledger": "ledger",
    "issue_receipt": "payments",
    "tenants": "platform",
    "api_keys": "platform",
}

EXAMPLE = '''"""An example door: it says what it was asked and appends it to a file, and fails while told to."""

import json
import os
from pathlib import Path

import functions_framework

TOLD = Path(__file__).parents[2] / "told"


@functions_framework.http
def {name}(request):
    call = {{
        "door": "{name}",
        "path": request.path,
        "root": request.script_root,
        "method": request.method,
        "token": request.headers.get("Authorization"),
        "body": request.get_data(as_text=True),
        "worker": os.getpid(),
        "project": os.environ["DAYBOOK_PROJECT"],
        "owner_key": "db_acme_k1_secret",
    }}
    with TOLD.open("a") as told:
        told.write(json.dumps(call) + "\\n")
    status = 503 if TOLD.with_name("refuse").exists() else 200
    return json.dumps(call), status, {{"Content-Type": "application/json"}}
'''


@dataclass(frozen=True, slots=True)
class ExampleDoors:
    """A folder that holds functions/ with example doors, and what was told to them."""

    root: Path
    names: tuple[str, ...] = tuple(DOORS)

    def told(self) -> list[str]:
        """Every call so far, a JSON line each."""
        file = self.root / "told"
        return file.read_text().splitlines() if file.exists() else []
