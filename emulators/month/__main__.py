"""`make run`: a month of business from input files, and a report; exit code 1 when anything does not add up."""

import argparse
import json
import os
import signal
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import FrameType

from rich.console import Console

from emulators.catalogue import REPOSITORY
from emulators.month.files import read_month
from emulators.month.present import faults, markdown, show
from emulators.month.report import MonthReport
from emulators.month.run import Options, run_month
from emulators.processes import CloudFault

INTERRUPTED = 130
PAPER_WIDTH = 140
"""Columns where there is no terminal."""


def main() -> int:
    """Run the month that the command line names."""
    asked = _arguments()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PAPER_WIDTH)
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        inputs = read_month(asked.inputs)
        options = Options(asked.scale, asked.home, keep_logs=asked.out / "logs")
        report = run_month(inputs, options, console=console)
    except CloudFault as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: everything was taken down\n")
        return INTERRUPTED
    show(report, console)
    _write(asked.out, report)
    seconds = sum(report.running.seconds.values())
    broken = len(list(faults(report)))
    verdict = "the books balance, nothing was lost or doubled" if report.sound else f"{broken} faults, listed above"
    console.print(f"{verdict} ({seconds:.0f} s); report: {asked.out / 'report.md'}", markup=False)
    return 0 if report.sound else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators.month", description=__doc__)
    parser.add_argument("--inputs", type=Path, default=REPOSITORY / "examples" / "month", help="folder of input files")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "month", help="folder of the report")
    parser.add_argument("--home", type=Path, help="state folder to keep; else one that is removed afterwards")
    given = os.environ.get("SCALE") or "1"  # noqa: TID251 - the driver's own switch, no setting of a door
    parser.add_argument("--scale", type=_scale, default=given, help="above 0 and up to 1; also SCALE")
    return parser.parse_args()


def _scale(text: str) -> Decimal:
    try:
        scale = Decimal(text)
    except InvalidOperation:
        scale = Decimal(0)
    if not 0 < scale <= 1:
        message = "a number above 0 and up to 1"
        raise argparse.ArgumentTypeError(message)
    return scale


def _write(folder: Path, report: MonthReport) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"report.json": json.dumps(report.as_json(), indent=2) + "\n", "report.md": markdown(report)}
    for name, text in texts.items():
        draft = folder / f".{name}.{os.getpid()}"
        draft.write_text(text, encoding="utf-8")
        draft.replace(folder / name)


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
