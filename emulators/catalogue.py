"""functions/catalogue.yaml as values: what exists, checked once, before anything is started from it.

The schema judges each part by itself; `mistakes` judges what parts say of each other. All mistakes
are reported at once.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import jsonschema
import yaml

from emulators.catalogue_rules import mistakes
from emulators.processes import CloudFault

REPOSITORY: Final = Path(__file__).resolve().parent.parent

T = TypeVar("T")


class CatalogueMistaken(CloudFault):
    """The catalogue contradicts itself, its schema or the files; one line a mistake."""

    def __init__(self, found: Collection[str]) -> None:
        super().__init__("functions/catalogue.yaml: " + "\n".join(found))
        self.mistakes = tuple(found)


@dataclass(frozen=True, slots=True)
class HttpPath:
    """Called from outside; the door gets every path that begins with this one."""

    path: str


@dataclass(frozen=True, slots=True)
class FromQueue:
    """Called by Cloud Tasks with the tasks of a queue."""

    queue: str


@dataclass(frozen=True, slots=True)
class FromTopic:
    """Called by push subscriptions to a topic."""

    topic: str


@dataclass(frozen=True, slots=True)
class OnSchedule:
    """Called by Cloud Scheduler's jobs."""

    jobs: tuple[str, ...]


Trigger = HttpPath | FromQueue | FromTopic | OnSchedule


@dataclass(frozen=True, slots=True)
class Function:
    """One door. Its name is its file's stem and its entry point."""

    name: str
    domain: str
    trigger: Trigger
    roles: tuple[str, ...]
    requirements: tuple[str, ...]
    memory: str
    cpu: int
    concurrency: int
    timeout_seconds: int
    max_instances: int
    min_instances: int = 0
    callers: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Where its code is, from the repository's root."""
        return f"functions/{self.domain}/{self.name}.py"


@dataclass(frozen=True, slots=True)
class Queue:
    """A Cloud Tasks queue: rates and retries."""

    name: str
    max_dispatches_per_second: int
    max_concurrent_dispatches: int
    max_attempts: int
    min_backoff_seconds: int
    max_backoff_seconds: int
    max_doublings: int
    max_retry_seconds: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """A push subscription; what fails `max_delivery_attempts` times goes to `{topic}-dead`."""

    name: str
    topic: str
    function: str
    min_backoff_seconds: int
    max_backoff_seconds: int
    max_delivery_attempts: int
    ack_deadline_seconds: int


@dataclass(frozen=True, slots=True)
class Job:
    """A Cloud Scheduler job: cron in a zone."""

    name: str
    function: str
    cron: str
    zone: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that is deployed."""

    functions: tuple[Function, ...]
    queues: tuple[Queue, ...]
    topics: tuple[str, ...]
    subscriptions: tuple[Subscription, ...]
    jobs: tuple[Job, ...]
    callers: Mapping[str, str]
    """Service account name of each kind of caller: tasks, scheduler, events."""

    def function(self, name: str) -> Function:
        """The door of that name.

        Raises:
            CatalogueMistaken: there is none.
        """
        for function in self.functions:
            if function.name == name:
                return function
        raise CatalogueMistaken([f"no function is called {name}"])

    def serving(self, names: Collection[str]) -> "Catalogue":
        """The same with only these doors, and only the jobs and subscriptions that call them."""
        kept = tuple(self.function(name) for name in dict.fromkeys(names))
        return replace(
            self,
            functions=kept,
            subscriptions=tuple(one for one in self.subscriptions if one.function in names),
            jobs=tuple(one for one in self.jobs if one.function in names),
        )


def load_catalogue(root: Path = REPOSITORY, doors: Collection[str] = ()) -> Catalogue:
    """The catalogue of the repository at `root`, or of only these of its doors.

    Raises:
        CatalogueMistaken: it is no valid catalogue, or a door to be served has no file.
    """
    catalogue = read_catalogue(root)
    catalogue = catalogue.serving(doors) if doors else catalogue
    missing = [one.file for one in catalogue.functions if not (root / one.file).is_file()]
    if missing:
        raise CatalogueMistaken([f"no such file: {', '.join(missing)}"])
    return catalogue


def read_catalogue(root: Path = REPOSITORY) -> Catalogue:
    """The catalogue of the repository at `root`, without looking for the doors' files.

    Raises:
        CatalogueMistaken: it is no valid catalogue.
    """
    return parse_catalogue((root / "functions" / "catalogue.yaml").read_text(encoding="utf-8"))


def parse_catalogue(text: str) -> Catalogue:
    """A catalogue from YAML.

    Raises:
        CatalogueMistaken: the schema or a cross check refuses it.
    """
    document = yaml.load(text, Loader=_OnceOnlyLoader)  # noqa: S506 - a SafeLoader that also refuses repeated keys
    found = list(_schema_errors(document)) or mistakes(document)
    if found:
        raise CatalogueMistaken(found)
    return Catalogue(
        functions=tuple(_function(name, document["defaults"] | one) for name, one in document["functions"].items()),
        queues=tuple(_named(Queue, name, one) for name, one in document["queues"].items()),
        topics=tuple(document["topics"]),
        subscriptions=tuple(_named(Subscription, name, one) for name, one in document["subscriptions"].items()),
        jobs=tuple(_named(Job, name, one) for name, one in document["jobs"].items()),
        callers=document["callers"],
    )


@cache
def schema() -> Mapping[str, Any]:
    """The catalogue's JSON schema."""
    text = (REPOSITORY / "functions" / "catalogue.schema.json").read_text(encoding="utf-8")
    answer: Mapping[str, Any] = json.loads(text)
    return answer


def _schema_errors(document: object) -> Iterator[str]:
    for error in jsonschema.Draft202012Validator(schema()).iter_errors(document):
        yield f"{error.json_path}: {error.message}"


def _function(name: str, entry: Mapping[str, Any]) -> Function:
    return _named(Function, name, {**entry, "trigger": _trigger(entry["trigger"])})


def _trigger(entry: Mapping[str, Any]) -> Trigger:
    match entry:
        case {"http": str(path)}:
            return HttpPath(path)
        case {"queue": str(queue)}:
            return FromQueue(queue)
        case {"topic": str(topic)}:
            return FromTopic(topic)
        case _:
            return OnSchedule(tuple(entry["schedule"]))


def _named(kind: Callable[..., T], name: str, entry: Mapping[str, Any]) -> T:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # every kind here is a dataclass
    frozen = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return kind(name=name, **{key: value for key, value in frozen.items() if key in known})


class _OnceOnlyLoader(yaml.SafeLoader):
    """YAML says that a key occurs once; the library would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the library's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if repeated := {key for key in keys if keys.count(key) > 1}:
            raise CatalogueMistaken([f"{', '.join(map(str, repeated))} is there twice"])
        return super().construct_mapping(node, deep)
