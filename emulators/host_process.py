"""The functions host seen from outside: how it is started, what it is told, and who answers."""

import json
from typing import Final

from emulators.addresses import LOOPBACK, fetch
from emulators.processes import interpreter

DOORS_VARIABLE: Final = "DAYBOOK_DOORS"
"""Comma list of the only doors to serve (benchmarks and tests); all when empty."""

ROOT_VARIABLE: Final = "DAYBOOK_DOORS_ROOT"
"""Folder that holds functions/, when it is not this repository."""

WORKERS: Final = 2
THREADS: Final = 8
KEEP_ALIVE_SECONDS: Final = 30
"""Longer than the dispatchers keep idle connections, so that none is closed under a request."""

HEALTH_PATH: Final = "/healthz"


def command(port: int) -> tuple[str, ...]:
    """The command that serves the doors on a loopback port."""
    return (
        *interpreter("gunicorn", "--config", "python:emulators.host_hooks", "--bind", f"{LOOPBACK}:{port}"),
        *("--worker-class", "gthread", "--workers", str(WORKERS), "--threads", str(THREADS)),
        *("--keep-alive", str(KEEP_ALIVE_SECONDS), "--graceful-timeout", "5"),
        *("--preload", "--no-control-socket", "emulators.host:application()"),
    )


def master_of(doors_url: str) -> int | None:
    """Process id of the host that answers there; None when none does."""
    body = fetch(f"{doors_url}{HEALTH_PATH}")
    try:
        return int(json.loads(body or b"{}")["master"])
    except (ValueError, KeyError, TypeError):
        return None
