"""What the catalogue's parts must say of each other: each rule yields the mistakes it finds."""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter

Document = Mapping[str, Any]
Rule = Callable[[Document], Iterator[str]]

_CALLER_OF: Final = {"queue": ["tasks"], "topic": ["events"], "schedule": ["scheduler"], "http": []}
_HOUSE: Final = frozenset({"functions", "shared", "emulators", "tests", "main"})


def mistakes(document: Document) -> list[str]:
    """Every mistake of a catalogue that its schema accepts."""
    return [mistake for rule in RULES for mistake in rule(document)]


def names_shadow_nothing(document: Document) -> Iterator[str]:
    """The framework loads a door as a top-level module of its bare name."""
    for name in document["functions"]:
        if name in sys.stdlib_module_names or name in _HOUSE:
            yield f"function {name} would hide the module of that name"


def groups_exist(document: Document) -> Iterator[str]:
    """A door's requirement groups are among the listed ones."""
    for name, function in document["functions"].items():
        for group in function["requirements"]:
            if group not in document["requirement_groups"]:
                yield f"function {name} requires the group {group}, which does not exist"


def callers_fit_triggers(document: Document) -> Iterator[str]:
    """A private door is called by exactly the service that its trigger is; a public one by nobody of ours."""
    for name, function in document["functions"].items():
        (kind,) = function["trigger"]
        if function.get("callers", []) != _CALLER_OF[kind]:
            yield f"function {name} has a {kind} trigger, so its callers are {_CALLER_OF[kind]}"


def paths_are_unique(document: Document) -> Iterator[str]:
    """Two doors on one path: one would never be called."""
    paths: dict[str, str] = {}
    for name, function in document["functions"].items():
        if path := function["trigger"].get("http"):
            if path in paths:
                yield f"functions {paths[path]} and {name} have the same path {path}"
            paths[path] = name


def triggers_exist(document: Document) -> Iterator[str]:
    """A door's queue, topic and jobs are in the catalogue."""
    for name, function in document["functions"].items():
        for kind, section in (("queue", "queues"), ("topic", "topics"), ("schedule", "jobs")):
            named = function["trigger"].get(kind, [])
            for one in [named] if isinstance(named, str) else named:
                if one not in document[section]:
                    yield f"function {name} names {one}, which is not in {section}"


def queues_are_used(document: Document) -> Iterator[str]:
    """Every queue has a door behind it."""
    used = {function["trigger"].get("queue") for function in document["functions"].values()}
    yield from (f"queue {name} has no function" for name in document["queues"] if name not in used)


def subscriptions_fit(document: Document) -> Iterator[str]:
    """A subscription joins an existing topic to a door with that trigger, and every such door has one."""
    for name, one in document["subscriptions"].items():
        if one["topic"] not in document["topics"]:
            yield f"subscription {name} names {one['topic']}, which is not in topics"
        if _trigger(document, one["function"]).get("topic") != one["topic"]:
            yield f"subscription {name} calls {one['function']}, which is no function triggered by {one['topic']}"
    called = {one["function"] for one in document["subscriptions"].values()}
    for name, function in document["functions"].items():
        if "topic" in function["trigger"] and name not in called:
            yield f"function {name} has a topic trigger and no subscription"


def jobs_fit(document: Document) -> Iterator[str]:
    """A job calls a door whose trigger names the job, and the other way round."""
    for name, job in document["jobs"].items():
        if name not in _trigger(document, job["function"]).get("schedule", []):
            yield f"job {name} calls {job['function']}, which is no function triggered by it"
    for name, function in document["functions"].items():
        for job in function["trigger"].get("schedule", []):
            if document["jobs"].get(job, {}).get("function", name) != name:
                yield f"function {name} names job {job}, which calls another function"


def backoffs_are_ordered(document: Document) -> Iterator[str]:
    """A backoff grows."""
    for section in ("queues", "subscriptions"):
        for name, one in document[section].items():
            if one["min_backoff_seconds"] > one["max_backoff_seconds"]:
                yield f"{section} {name}: the smallest backoff is larger than the largest"


def schedules_can_be_read(document: Document) -> Iterator[str]:
    """A job's cron and zone mean something."""
    for name, job in document["jobs"].items():
        if not _is_zone(job["zone"]):
            yield f"job {name}: no time zone is called {job['zone']}"
        if not croniter.is_valid(job["cron"]):
            yield f"job {name}: {job['cron']} is no schedule"


RULES: Final[tuple[Rule, ...]] = (
    names_shadow_nothing,
    groups_exist,
    callers_fit_triggers,
    paths_are_unique,
    triggers_exist,
    queues_are_used,
    subscriptions_fit,
    jobs_fit,
    backoffs_are_ordered,
    schedules_can_be_read,
)


def _trigger(document: Document, function: str) -> Mapping[str, Any]:
    trigger: Mapping[str, Any] = document["functions"].get(function, {}).get("trigger", {})
    return trigger


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
