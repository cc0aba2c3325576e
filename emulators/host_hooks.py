"""What gunicorn calls in the functions host: workers die with their master, also when it is killed with -9."""

import os
import sys

from emulators.tether import die_with_parent


def post_fork(_arbiter: object, _worker: object) -> None:
    """In each worker, before it serves: tie it to the master and write its log a whole line at a time."""
    die_with_parent(os.getppid())
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # gunicorn leaves the real stream in place
