"""The line from an instance to the simulated Firestore: the real adapter's calls, at the world's mercy."""

from typing import Any, Final

import grpc

from shared.gcp.patience import Patience
from shared.gcp.rpc import Method, Rpc, RpcFailed
from tests.simulation.documents import instant, put_instant
from tests.simulation.doors import ADDED
from tests.simulation.faults import Fault
from tests.simulation.firestore import Blocked, Firestore
from tests.simulation.world import World

LOCK_WAIT_SECONDS: Final = 2.0
"""How long Firestore lets a writer wait for another's locks."""

_LOST: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.INTERNAL)


RECENT: Final = 3_600_000_000
"""Microseconds before a snapshot in which the commit lies that it may miss."""

SNAPSHOT: Final = "query of a snapshot"
"""What a query at an instant counts as, besides its own verb."""


class SimulatedLine(Rpc):
    """Calls a simulated Firestore; time, chance and waiting are the world's.

    An instance of the `next_version` writes a field more into every new document but the journal's, whose content is
    hashed as a whole.
    """

    def __init__(self, world: World, server: Firestore, service: str, *, next_version: bool = False) -> None:
        patience = Patience(sleep=world.wait, jitter=world.random.random, monotonic=world.monotonic)
        super().__init__("", patience=patience)
        self._world, self._server, self._service = world, server, service
        self._next_version = next_version
        self._stale: set[int] = set()
        """Instants that were answered too early once: the next look sees what was on its way."""

    def send(self, method: Method, request: Any, timeout_seconds: float) -> Any:
        """Send a request on its way."""
        del timeout_seconds
        verb = method.path.rsplit("/", 1)[-1]
        if self._next_version and verb == "Commit":
            for write in request.writes:
                if write.update.name and not write.HasField("update_mask") and "/entries/" not in write.update.name:
                    write.update.fields[ADDED].integer_value = 1
        if verb in {"RunQuery", "RunAggregationQuery"} and request.HasField("read_time"):
            request = self._perhaps_stale(method, request)
        return self._world.call(
            self._service,
            verb,
            lambda: self._answered(method, request),
            lambda: RpcFailed(method, self._world.random.choice(_LOST), "no answer"),
        )

    def _perhaps_stale(self, method: Method, request: Any) -> Any:
        """The same question of a little earlier: a commit on its way then is missed now, and seen at the next look."""
        handler = self._world.handler
        if handler is None:
            return request
        self._world.calls[handler.name, SNAPSHOT] += 1
        asked, newest = instant(request.read_time), self._server.newest
        if asked in self._stale or not asked - RECENT <= newest <= asked:
            return request
        if not self._world.faults.strike(handler.name, Fault.STALE):
            return request
        self._stale.add(asked)
        early = method.request()
        early.CopyFrom(request)
        put_instant(early.read_time, newest - 1)
        return early

    def _answered(self, method: Method, request: Any) -> Any:
        """The server's answer; behind another's locks only after a while, or never."""
        begun = self._world.monotonic()
        while True:
            try:
                return self._server.answer(method, request)
            except Blocked:
                waited = self._world.monotonic() - begun
                if self._world.handler is None or waited > LOCK_WAIT_SECONDS:
                    raise RpcFailed(method, grpc.StatusCode.ABORTED, "locked by another transaction") from None
                self._world.wait(0.1)
