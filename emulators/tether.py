"""A child that cannot outlive its parent: ask the kernel for that, then become the real program.

Run as a script in front of a command: `python -I -S tether.py PARENT_PID COMMAND...`. The request
(Linux's PR_SET_PDEATHSIG) survives exec, so it also holds for Java, and holds when the parent is
killed with -9. Elsewhere the command simply runs.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Be killed when `parent`, which must be this process's parent, ends; exit at once if it already has."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command is the point: our own, no shell
