"""What survives a restart of this process: signing key, KMS keys, queues and jobs, in one file only its owner reads.

Tasks that wait are not among it. They survive the death of the doors, because they live here;
when this process itself is killed, the outbox's sweep sends again what was not acknowledged.
"""

import json
import os
from pathlib import Path
from typing import Any

OWNER_ONLY = 0o600


class StateFile:
    """A JSON object of named sections, replaced as a whole on every change."""

    def __init__(self, path: Path) -> None:
        """Read the file at `path`; an absent one is empty."""
        self._path = path
        self._sections: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def read(self, section: str) -> Any:
        """What was kept under `section` last, or None."""
        return self._sections.get(section)

    def keep(self, section: str, value: Any) -> None:
        """Keep `value` (JSON) under `section`; on the disk when this returns."""
        self._sections[section] = value
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(self._sections, file)
        draft.replace(self._path)
