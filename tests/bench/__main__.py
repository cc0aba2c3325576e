"""`make bench`: measure, print the table, write build/bench.json; exit code 1 where a bar does not hold.

A subject is a module with `rows(world)`; a new one is a file and a line here.
`python -m tests.bench posting webhook` measures only these.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from rich.console import Console

from emulators.catalogue import REPOSITORY
from tests.bench import applying, asking, batches, cold_start, costs, payments, posting, webhook
from tests.bench.rows import Row, passed, show, write
from tests.bench.world import World, world

SUBJECTS: Final[Mapping[str, Callable[[World], Iterator[Row]]]] = {
    "cold_start": cold_start.rows,
    "webhook": webhook.rows,
    "payments": payments.rows,
    "asking": asking.rows,
    "applying": applying.rows,
    "posting": posting.rows,
    "batches": batches.rows,
    "costs": costs.rows,
}
FILE: Final = REPOSITORY / "build" / "bench.json"


def main(names: list[str]) -> int:
    """Measure the named subjects, all when none is named."""
    console, started = Console(), time.monotonic()
    rows: list[Row] = []
    with world() as place:
        for name in names or SUBJECTS:
            for row in SUBJECTS[name](place):
                rows.append(row)
                console.print(
                    f"{time.monotonic() - started:5.0f} s  {row.name}: {row.value:,.4g} {row.unit}", style="dim"
                )
    write(rows, FILE)
    show(rows, console)
    console.print(f"{FILE.relative_to(REPOSITORY)}, {time.monotonic() - started:.0f} s")
    return 0 if passed(rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
