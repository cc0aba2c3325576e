"""What one request cost in operations: the adapters count, the door frame writes the line.

The counts live in a context variable, so that requests served side by side never mix.
"""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Operations:
    """Operations on the world since `begin`: documents read, written and deleted, RPCs, messages, KMS calls.

    Mutable on purpose: adapters add to it, `current().reads += 1`.
    """

    reads: int = 0
    writes: int = 0
    deletes: int = 0
    rpcs: int = 0
    tasks: int = 0
    publishes: int = 0
    kms: int = 0


_current: ContextVar[Operations] = ContextVar("daybook_operations")


def begin() -> Operations:
    """Start counting from zero in this context; the same object is what `current` gives until the next `begin`."""
    operations = Operations()
    _current.set(operations)
    return operations


def current() -> Operations:
    """The counts of the request being served; a throwaway outside of one."""
    return _current.get(None) or Operations()
