"""Where a request goes: a name is resolved once, every address of it must be public, one that was looked at is used."""

from shared.internet.lines import Lines
from shared.webhooks.rules.addresses import all_public
from shared.webhooks.rules.urls import LOOPBACK, Reach, Target


class NotAllowed(Exception):
    """The name leads to an address that no request is sent to."""


class Unresolved(Exception):
    """The name has no address, or nobody said in time."""


def address_of(target: Target, reach: Reach, lines: Lines) -> str:
    """The address to connect to: one of the name's, when all of them may be reached.

    Raises:
        NotAllowed, Unresolved: there is none.
    """
    if reach is Reach.LOOPBACK_TOO and not target.secure:
        return LOOPBACK
    try:
        found = lines.resolve(target.host)
    except OSError as error:
        raise Unresolved from error
    if not found:
        raise Unresolved
    if not all_public(found):
        raise NotAllowed
    return min(found, key=lambda address: ":" in address)
