"""Lines to the emulator that lose, delay or interrupt what goes over them, on order."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import grpc

from shared.gcp.firestore import resource_headers
from shared.gcp.firestore_values import write_instant
from shared.gcp.patience import Patience
from shared.gcp.rpc import Method, Rpc, RpcFailed
from shared.settings import Settings

Commit = Callable[[], Any]
Switch = Callable[[Commit], Any]


class Line(Rpc):
    """The real line to the emulator, with a switch that does something else with the next commits."""

    def __init__(self, settings: Settings) -> None:
        headers = resource_headers(settings, settings.database)
        super().__init__("", settings.firestore_endpoint, metadata=headers, patience=Patience(jitter=lambda: 1))
        self.commits: list[Switch] = []
        self.queries: list[datetime] = []
        """Instants, too early, as of which the next queries are answered: a snapshot that misses a late commit."""
        self.torn: list[tuple[str, datetime]] = []
        """Collections, each with an instant as of which the next read that finds such a document tells all others."""
        self.paths: list[str] = []
        self.silences = 0
        """Questions that the emulator itself left without an answer: on a busy machine it may."""

    def send(self, method: Method, request: Any, timeout_seconds: float) -> Any:
        """Note the call; a commit goes through the next switch, if there is one."""
        self.paths.append(method.path.rsplit("/", 1)[-1])
        if method.path.endswith("/Commit") and self.commits:
            return self.commits.pop(0)(lambda: self.send_on(method, request, timeout_seconds))
        if method.path.endswith("/RunQuery") and self.queries:
            write_instant(request.read_time, self.queries.pop(0))
        if method.path.endswith("/BatchGetDocuments") and self.torn:
            return self._torn(method, request, timeout_seconds)
        return self.send_on(method, request, timeout_seconds)

    def _torn(self, method: Method, request: Any, timeout_seconds: float) -> Any:
        """What a read tells as of an earlier instant, but for one document of it, which is told as it is now."""
        now = self.send_on(method, request, timeout_seconds)
        collection, at = self.torn[0]
        ahead = [one for one in now if f"/{collection}/" in one.found.name]
        if not ahead:
            return now
        self.torn.pop(0)
        write_instant(request.read_time, at)
        names = {one.found.name for one in ahead}
        before = self.send_on(method, request, timeout_seconds)
        return [*(one for one in before if (one.found.name or one.missing) not in names), *ahead]

    def send_on(self, method: Method, request: Any, timeout_seconds: float) -> Any:
        """Past the switch: to the emulator, whose own silences are counted."""
        try:
            return super().send(method, request, timeout_seconds)
        except RpcFailed as failed:
            self.silences += failed.status in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE}
            raise


def lost(commit: Commit) -> Any:
    """The commit is applied, the answer never comes."""
    return lost_as(grpc.StatusCode.UNAVAILABLE)(commit)


def lost_as(status: grpc.StatusCode) -> Switch:
    """The commit is applied, and what comes back is this error."""

    def lose(commit: Commit) -> Any:
        commit()
        raise RpcFailed(Method("/Commit", None, None), status, "lost")

    return lose


def unsent(_: Commit) -> Any:
    """The commit never reaches the store."""
    raise RpcFailed(Method("/Commit", None, None), grpc.StatusCode.DEADLINE_EXCEEDED, "late")


def lost_then(happens: Callable[[], object]) -> Switch:
    """The commit is applied, its answer is lost, and before anyone asks again something else happens."""

    def lose(commit: Commit) -> Any:
        commit()
        happens()
        raise RpcFailed(Method("/Commit", None, None), grpc.StatusCode.UNAVAILABLE, "lost")

    return lose


def held(late: list[Commit], then: Callable[[], object]) -> Switch:
    """The commit is not applied yet: it waits in `late` to land when the test says so, and something else happens."""

    def hold(commit: Commit) -> Any:
        late.append(commit)
        then()
        raise RpcFailed(Method("/Commit", None, None), grpc.StatusCode.DEADLINE_EXCEEDED, "late")

    return hold


def first(happens: Callable[[], object]) -> Switch:
    """Something else happens between the decision and its commit."""

    def delay(commit: Commit) -> Any:
        happens()
        return commit()

    return delay
