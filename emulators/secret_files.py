"""The local cloud's secrets: one file each, one value a line, newest first, made once and kept."""

from pathlib import Path
from typing import Final

from emulators.state import write_private
from shared.identity import Ids

REQUEST_HASH: Final = "request-hash"
PLATFORM_KEY: Final = "platform-key"
_TOKEN_BYTES: Final = 20


def make_secrets(folder: Path, ids: Ids) -> None:
    """Make the platform's own secrets where they do not exist yet."""
    key = f"db_platform_{ids.token(8)}_{ids.token(_TOKEN_BYTES)}"
    _make(folder / PLATFORM_KEY, key)
    _make(folder / REQUEST_HASH, ids.token(_TOKEN_BYTES))


def make_partner_key(folder: Path, tenant: str, partner: str, key: str) -> None:
    """A tenant's key to a partner's API; the address in it is this run's, so it is written anew."""
    write_private(folder / f"partner-api-{tenant}-{partner}", f"{key}\n")


def read_secret(folder: Path, name: str) -> str:
    """The newest value."""
    return (folder / name).read_text(encoding="utf-8").splitlines()[0]


def _make(path: Path, value: str) -> str:
    if path.exists():
        return read_secret(path.parent, path.name)
    write_private(path, f"{value}\n")
    return value
