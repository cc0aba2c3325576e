"""Which fault hit which handler, and why a cell is empty."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console

from tests.simulation.doors import EVENTS, SCHEDULES, TASKS
from tests.simulation.faults import CALLS, Fault
from tests.simulation.line import SNAPSHOT
from tests.simulation.partner import DOOR
from tests.simulation.simulation import Result
from tests.simulation.told_at_rest import LANES

_TASK: Final = {Fault.TASK_TWICE, Fault.TASK_HOURS_LATE, Fault.NAME_FORGOTTEN, Fault.EXHAUSTED}
_EVENT: Final = {Fault.EVENT_TWICE, Fault.EVENT_LATE, Fault.EVENT_DEAD}
_WEBHOOK: Final = {one for one in Fault if one.name.startswith("WEBHOOK")} | {Fault.SECRET}
_RECEIVER: Final = {one for one in Fault if one.name.startswith("RECEIVER")}
_INSTANCE: Final = {Fault.CLOCK, Fault.RESTART, Fault.VERSIONS}
_CALL: Final = {fault for faults in CALLS.values() for fault in faults}


NOT_DRAWN: Final = "not drawn in these seeds"
SIGNS: Final[Mapping[str, str]] = {
    "i": "of its instance, counted there",
    "p": "of the platform, counted there",
    "t": "no task",
    "e": "no event",
    "w": "no webhook",
    "r": "sends to no receiver",
    "s": "reads no snapshot",
    "k": "no schedule",
    "c": "no request of a client",
    "n": "makes no such call",
    "-": NOT_DRAWN,
}
"""Why a cell is empty, as the matrix prints it."""


def matrix(results: Sequence[Result]) -> dict[tuple[str, Fault], int | str]:
    """By handler and fault: how often it struck, or why it did not."""
    happened: Counter[tuple[str, Fault]] = Counter()
    calls: Counter[tuple[str, str]] = Counter()
    for result in results:
        happened.update(result.faults)
        calls.update(result.calls)
    handlers = sorted({where for where, _ in calls})
    return {
        (where, fault): happened[where, fault] or _reason(where, fault, {verb for one, verb in calls if one == where})
        for where in handlers
        for fault in Fault
    }


def _reason(where: str, fault: Fault, verbs: set[str]) -> str:
    if fault in _INSTANCE:
        return SIGNS["i"]
    if fault in {Fault.ROTATION, Fault.SECRET}:
        return SIGNS["p"]
    belongs = {
        SIGNS["t"]: (_TASK, where in TASKS),
        SIGNS["e"]: (_EVENT, where in EVENTS),
        SIGNS["w"]: (_WEBHOOK, where == DOOR),
        SIGNS["r"]: (_RECEIVER, where in LANES),
        SIGNS["s"]: ({Fault.STALE}, SNAPSHOT in verbs),
        SIGNS["k"]: ({Fault.SWEEP_MISSED}, where in SCHEDULES),
        SIGNS["c"]: ({Fault.REQUEST_TWICE}, " " in where),
    }
    for reason, (faults, fits) in belongs.items():
        if fault in faults and not fits:
            return reason
    if fault in _CALL and not any(fault in CALLS[verb] for verb in verbs - {SNAPSHOT}):
        return SIGNS["n"]
    return NOT_DRAWN


def show(console: Console, results: Sequence[Result]) -> None:
    """Print the matrix: a row a handler, a column a fault; in an empty cell the sign of why it is empty."""
    cells = matrix(results)
    columns = list(enumerate(Fault, 1))
    lines = [f"{'fault x handler':36}" + "".join(f"{number:6}" for number, _ in columns)]
    lines += [
        f"{where:36}" + "".join(f"{_cell(cells[where, fault]):>6}" for _, fault in columns)
        for where in sorted({where for where, _ in cells})
    ]
    lines += [f"{sign:>6} {reason}" for sign, reason in SIGNS.items()]
    for number, fault in columns:
        total = sum(result.faults[key] for result in results for key in result.faults if key[1] is fault)
        lines.append(f"{number:6} {fault.value}: {total}")
    missing = [f"{where} / {fault.value}" for (where, fault), cell in cells.items() if cell == NOT_DRAWN]
    lines.append(f"{len(missing)} cells could be and were not drawn: {'; '.join(missing)}")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _cell(cell: int | str) -> str:
    return str(cell) if isinstance(cell, int) else next(sign for sign, reason in SIGNS.items() if reason == cell)
