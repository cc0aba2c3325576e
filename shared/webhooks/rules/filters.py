"""Which events an endpoint wants: types, or groups of them that end in `*`."""

import re
from collections.abc import Iterable
from typing import Final

from shared.webhooks.refusals import NotAFilter

_FILTER: Final = re.compile(r"\*|[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?")
_LONGEST: Final = 100


def event_filter(text: str) -> str:
    """Check a filter: `invoice.issued` is that type, `payment.*` every type below, `*` every type.

    Raises:
        NotAFilter: it is none of the three.
    """
    if len(text) > _LONGEST or not _FILTER.fullmatch(text):
        message = "a filter is an event type, or a group of them such as payment.*, or *"
        raise NotAFilter(message, field="filters")
    return text


def wanted(filters: Iterable[str], event_type: str) -> bool:
    """Whether any of the filters takes events of a type. `payment.*` takes `payment.applied`, not `payments.made`."""
    return any(_takes(one, event_type) for one in filters)


def _takes(one: str, event_type: str) -> bool:
    return event_type.startswith(one[:-1]) if one.endswith("*") else event_type == one
