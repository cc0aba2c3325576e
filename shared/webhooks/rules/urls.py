"""Which URLs a webhook is sent to.

They are read here alone, strictly, and a request is made of the parts: no other parser has a chance to disagree.
"""

import re
from dataclasses import dataclass
from enum import Enum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from shared.limits import WEBHOOK_URL_CHARACTERS
from shared.webhooks.refusals import UrlNotAllowed
from shared.webhooks.rules.addresses import is_public

PORTS: Final = frozenset({443, 8443})

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?)",
)
_AUTHORITY: Final = re.compile(r"^[A-Za-z]+://[^/?#]*")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NAME_CHARACTERS: Final = 253
_LARGEST_PORT: Final = 65_535
_LOCAL: Final = frozenset({"localhost", "local", "internal", "invalid", "test", "onion", "arpa"})
"""Last labels that no public name has (IANA's special-use domain names, and `.internal`)."""
LOOPBACK: Final = "127.0.0.1"


class Reach(Enum):
    """Where webhooks may go: the public internet, or on a laptop this machine too."""

    INTERNET = "internet"
    LOOPBACK_TOO = "loopback_too"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in the parts that a request is made of; `host` is a name, or an address without brackets."""

    secure: bool
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def read_url(text: str, reach: Reach) -> Target:
    """Take a URL apart: https, port 443 or 8443, a public name or address; no user, password or fragment.

    With `Reach.LOOPBACK_TOO` also http to any port of 127.0.0.1.

    Raises:
        UrlNotAllowed: it is anything else.
    """
    match = _URL.fullmatch(_lower_authority(text)) if len(text) <= WEBHOOK_URL_CHARACTERS else None
    if match is None:
        message = "a webhook's URL is https://host/path in ASCII, without user, password or fragment"
        raise UrlNotAllowed(message, field="url")
    secure, host = match["scheme"] == "https", match["host"].strip("[]")
    port = int(match["port"] or (443 if secure else 80))
    target = match["target"] if match["target"].startswith("/") else f"/{match['target']}"
    found = Target(secure, host, port, target)
    ours = reach is Reach.LOOPBACK_TOO and not secure and host == LOOPBACK and port <= _LARGEST_PORT
    if not ours and (reason := _why_not(found)):
        raise UrlNotAllowed(reason, field="url")
    return found


def _lower_authority(text: str) -> str:
    return _AUTHORITY.sub(lambda match: match[0].lower(), text)


def _why_not(found: Target) -> str:
    """Why the internet is not reached there; nothing where it is."""
    if not found.secure:
        return "webhooks are sent over https only"
    if found.port not in PORTS:
        return "webhooks are sent to port 443 or 8443 only"
    public = is_public(found.host) if _is_address(found.host) else _is_public_name(found.host)
    return "" if public else "webhooks are sent to public hosts only"


def _is_address(host: str) -> bool:
    kind = IPv6Address if ":" in host else IPv4Address
    try:
        kind(host)
    except AddressValueError:
        return False
    return True


def _is_public_name(host: str) -> bool:
    """A full name of the DNS; one that ends in a number is a spelling of an IPv4 address that resolvers still read."""
    labels = host.split(".")
    if len(host) > _NAME_CHARACTERS or len(labels) == 1 or not all(map(_LABEL.fullmatch, labels)):
        return False
    return labels[-1] not in _LOCAL and not _NUMBER.fullmatch(labels[-1])
