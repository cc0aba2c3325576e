"""One measured figure a row, with the bar it must hold; rows are printed for people and written for machines."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """A figure: `value` in `unit`, `ratio` to its yardstick, `how` it was taken.

    `bar` says what must hold, `holds` whether it does; both are None where the figure only informs.
    """

    name: str
    value: float
    unit: str
    how: str
    ratio: float | None = None
    bar: str | None = None
    holds: bool | None = None

    def at_least(self, ratio: float) -> "Row":
        """The same figure, whose ratio must not be lower."""
        return self._held(f"ratio >= {ratio:g}", holds=self.ratio is not None and self.ratio >= ratio)

    def ratio_at_most(self, ratio: float) -> "Row":
        """The same figure, whose ratio must not be higher."""
        return self._held(f"ratio <= {ratio:g}", holds=self.ratio is not None and self.ratio <= ratio)

    def at_most(self, value: float) -> "Row":
        """The same figure, which must not be higher."""
        return self._held(f"value <= {value:g}", holds=self.value <= value)

    def exactly(self, value: float) -> "Row":
        """The same figure, which must be this one."""
        return self._held(f"value = {value:g}", holds=self.value == value)

    def _held(self, bar: str, *, holds: bool) -> "Row":
        return Row(self.name, self.value, self.unit, self.how, self.ratio, bar, holds)


def passed(rows: Iterable[Row]) -> bool:
    """Whether every bar holds."""
    return all(row.holds is not False for row in rows)


def middle(figures: Sequence[float]) -> float:
    """The median."""
    return statistics.median(figures)


def write(rows: Iterable[Row], path: Path) -> None:
    """Write the rows as a JSON list of {name, value, unit, ratio, bar, holds, how}."""
    order = ("name", "value", "unit", "ratio", "bar", "holds", "how")
    listed = [{name: _rounded(asdict(row)[name]) for name in order} for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{json.dumps(listed, indent=2)}\n", encoding="utf-8")


def show(rows: Iterable[Row], console: Console) -> None:
    """Print the rows as a table; how each was taken stands in the file."""
    table = Table(title="Daybook, measured")
    table.add_column("figure", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("ratio", justify="right", no_wrap=True)
    for heading in ("bar", "holds"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        holds = {None: "", True: "[green]yes[/]", False: "[bold red]NO[/]"}[row.holds]
        table.add_row(row.name, f"{row.value:,.4g}", row.unit, ratio, row.bar or "", holds)
    console.print(table)


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value
