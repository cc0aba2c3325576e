"""The local cloud's secrets of partners' endpoints, each in the form that its partner gives it, made once and kept."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Final

from emulators.partners.wise import key_pair
from emulators.state import write_private
from shared.identity import Ids
from shared.payments.partners.adapter import Secret

ADDRESS: Final = "https://daybook.example/v1/webhooks/{tenant}/{partner}"
"""What Square takes for the endpoint's address: the local cloud's own changes with every start."""

_TOKEN_BYTES: Final = 20


def signing_secret(folder: Path, tenant: str, partner: str, ids: Ids) -> Secret:
    """What the partner signs with for a tenant; the doors' half of it is in their secrets, new if there was none."""
    name = f"webhook-{tenant}-{partner}"
    public, private = folder / name, folder / f"signing-{tenant}-{partner}"
    signs = private if partner == "wise" else public
    if not (public.exists() and signs.exists()):
        made = _made(partner, tenant, ids)
        write_private(signs, f"{made[0]}\n")
        write_private(public, f"{made[1]}\n")
    line = signs.read_text(encoding="utf-8").splitlines()[0]
    if not line.startswith("{"):
        return Secret(name, line.encode())
    said = json.loads(line)
    return Secret(name, said["secret"].encode(), said.get("url", ""))


def _made(partner: str, tenant: str, ids: Ids) -> tuple[str, str]:
    """A new secret as the partner keeps it, and as the door does."""
    word = ids.token(_TOKEN_BYTES)
    digest = hashlib.sha256(word.encode()).digest()
    match partner:
        case "adyen":
            line = digest.hex().upper()
        case "square":
            address = ADDRESS.format(tenant=tenant, partner=partner)
            line = json.dumps({"secret": base64.urlsafe_b64encode(digest).decode(), "url": address})
        case "standard":
            line = f"whsec_{base64.b64encode(digest).decode()}"
        case "wise":
            private, public = key_pair()
            return json.dumps({"secret": private}), json.dumps({"secret": public})
        case _:
            line = f"whsec_{word}"
    return line, line
