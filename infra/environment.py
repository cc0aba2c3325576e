"""The project's own Python environment: made by whoever comes first, found ready by everyone after.

Runs on the machine's Python, before anything is installed: standard library only. A stamp named for
the content of requirements/all.txt is written last, so that a half-made environment is made again;
a file lock makes two first commands at once wait for one another.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PINS = ROOT / "requirements" / "all.txt"

IS_NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))"
LAUNCHER = """#!/bin/sh
# The `daybook` command, from any folder.
PYTHONPATH="{root}${{PYTHONPATH:+:$PYTHONPATH}}" exec "{root}/.venv/bin/python" -m emulators.cli "$@"
"""


def main() -> int:
    """Make the environment unless it stands; the exit code is 0 when it does."""
    stamp = VENV / f"locked-{hashlib.sha256(PINS.read_bytes()).hexdigest()[:16]}"
    if stamp.exists():
        return 0
    if not runs(sys.executable, "-c", IS_NEW_ENOUGH):
        return say(
            f"Daybook needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n"
            "Name a newer one: make PYTHON=python3.13 ..."
        )
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "environment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return 0 if stamp.exists() else make(stamp)


def make(stamp: Path) -> int:
    """Create, install by hash, write the `daybook` command, and only then the stamp."""
    say("Setting up .venv from requirements/all.txt (once, about a minute) ...")
    if not runs(str(PYTHON), "-c", IS_NEW_ENOUGH) and not runs(sys.executable, "-m", "venv", "--clear", str(VENV)):
        return say("A virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv")
    if not install():
        return say("The packages of requirements/all.txt could not be installed; the reason is above.")
    launcher = VENV / "bin" / "daybook"
    launcher.write_text(LAUNCHER.format(root=ROOT), encoding="utf-8")
    launcher.chmod(0o755)
    stamp.touch()
    return 0


def install() -> bool:
    """Install exactly the pinned files: with uv where it is at hand (a second), else, or if that fails, with pip."""
    pins = ("--require-hashes", "-r", str(PINS))
    uv = shutil.which("uv")
    if uv and runs(uv, "pip", "install", "--quiet", "--python", str(PYTHON), *pins):
        return True
    # Twice quiet: errors only.
    return runs(str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *pins)


def runs(*command: str) -> bool:
    """Whether a command is there and ends well."""
    try:
        return subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own words
    except OSError:
        return False


def say(message: str) -> int:
    """Tell the person; the answer is the exit code of a failure."""
    sys.stderr.write(f"{message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
