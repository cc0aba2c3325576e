"""Which endpoints are slow: their attempts take turns on a queue of their own, so that they hold up nobody else's."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.webhooks.model import Endpoint

SLOW: Final = timedelta(seconds=3)
"""An attempt that lasts so long, well or badly ended, makes its endpoint slow."""

SLOW_FOR: Final = timedelta(minutes=5)
"""How long an endpoint is slow at least; the first quick attempt after that makes it quick again.

So an endpoint that is now slow, now quick is written once in so long, and not with every attempt.
"""


def paced(endpoint: Endpoint, lasted: timedelta, at: datetime) -> Endpoint:
    """The endpoint after an attempt that reached for it at an instant and lasted so long."""
    since = endpoint.slow_since
    if since is not None and at - since < SLOW_FOR:
        return endpoint
    if lasted >= SLOW:
        return replace(endpoint, slow_since=at)
    return endpoint if since is None else replace(endpoint, slow_since=None)
