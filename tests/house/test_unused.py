from vulture import Vulture  # type: ignore[import-untyped]  # it ships no types

from tests.house.sources import EVERYTHING, ROOT, place

CALLED_BY_OTHERS = [
    "@functions_framework.*",  # doors: by the framework
    "@api.route",  # by the frame
    "@app.command",  # by a person
    "@*.command",
    "@*.callback",
    "@pytest.*",  # by pytest
    "@rule",  # by hypothesis
    "@invariant",
    "@initialize",
    "@*validator",  # by pydantic
    "@*serializer",
    "@cached_property",  # rooms of the house: each is entered by some door, which mypy sees
]
KINDS = {"class", "function", "method", "property", "unreachable_code"}
HOOKS = {
    "teardown",  # a hypothesis machine's
    "post_fork",  # gunicorn's
    "do_GET",  # http.server's
    "do_POST",  # http.server's
    "log_message",  # http.server's
    "readinto",  # io.RawIOBase's
}
WAITING = {
    "round_away_from_zero",  # the kernel's arithmetic is whole from the first day
    "round_toward_zero",
    "sum_by_currency",
    "check_month",
    "firestore_running",  # for what needs a store and no cloud
    "openapi",  # served by the framework
}
"""Known to have no caller yet. Take a name away when it gets one; add none without a reason."""


def test_nothing_is_kept_that_nobody_uses() -> None:
    """A function without a caller is a promise that nobody checks."""
    vulture = Vulture(
        ignore_decorators=CALLED_BY_OTHERS, ignore_names=["test_*", "pytest_*", "visit_*", *HOOKS, *WAITING]
    )
    vulture.scavenge([str(ROOT / top) for top in EVERYTHING])
    unused = [item for item in vulture.get_unused_code(min_confidence=60) if item.typ in KINDS]
    assert [f"{place(item.filename)}:{item.first_lineno} {item.typ} {item.name}" for item in unused] == []
