"""Waiting for something to become true, by looking again."""

import threading
import time
from collections.abc import Callable
from typing import Any

PATIENCE_SECONDS = 20.0


def eventually(condition: Callable[[], Any]) -> Any:
    """The first true answer of `condition`; fails when none comes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it never came true"
        threading.Event().wait(0.01)
    return answer
