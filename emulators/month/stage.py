"""What a person sees while the month runs, and how long each part took: bars on a terminal, lines elsewhere."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Stage:
    """Bars by name and seconds by phase. Safe to advance from any thread."""

    def __init__(self, console: Console) -> None:
        """Show on `console`."""
        self.console = console
        self.seconds: dict[str, float] = {}
        columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._bars = dict[str, object]()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def bars(self, totals: Mapping[str, int]) -> None:
        """Show a bar for each name."""
        for name, total in totals.items():
            self._bars[name] = self._progress.add_task(name, total=total)

    def advance(self, name: str) -> None:
        """One more of a bar's."""
        self._progress.advance(self._bars[name])  # type: ignore[arg-type]  # rich's ids are ints by another name

    def tell(self, line: str) -> None:
        """Say a line."""
        self.console.print(line, style="dim", markup=False)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the seconds of the block to a phase."""
        if phase not in self.seconds and not self.console.is_terminal:
            self.tell(f"{phase} ...")
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.monotonic() - started
