"""One service, one channel: deadlines, retries and the count of calls are decided here and nowhere else.

gRPC's and the client libraries' own retries are off: what is safe to repeat is ours to know.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final
from urllib.parse import quote

import grpc

from shared import counters
from shared.faults import Retryable
from shared.gcp.patience import Deadline, Patience

Metadata = Sequence[tuple[str, str]]

TRANSIENT: Final = frozenset(
    {
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
    }
)
"""No answer, or one that another try may change."""

ATTEMPTS: Final = 8
"""Tries of one call that is safe to repeat."""

_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_OPTIONS: Final = (
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.max_send_message_length", 16 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.initial_reconnect_backoff_ms", 20),  # gRPC's own second is longer than all the pauses of a question
    ("grpc.min_reconnect_backoff_ms", 5_000),  # how long one attempt to connect may take: as long as a call may
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("SingleThreadedUnaryStream", 1),  # gRPC else starts a thread for each stream: half the cost of a read
)


@dataclass(frozen=True, slots=True)
class Method:
    """One remote method: its path (`/package.Service/Name`) and both raw message classes."""

    path: str
    request: Any
    response: Any
    streams: bool = False
    """It answers with a stream, which is read to its end."""
    route: str = ""
    """The request's field by which Google routes it; empty where the channel's metadata says so."""


class RpcFailed(Exception):
    """A call came back with an error, or not at all."""

    def __init__(self, method: Method, status: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{method.path}: {status.name}: {details}")
        self.status = status


class Rpc:
    """Calls one service of Google's, or the emulator at `endpoint` (host:port) in its place.

    The channel opens with the first call of a process, so this may be made before a fork. Tests
    that need a lost answer or a late commit override `send`.
    """

    def __init__(
        self, host: str, endpoint: str = "", *, metadata: Metadata = (), patience: Patience | None = None
    ) -> None:
        self.patience = patience or Patience()
        self._host, self._endpoint = host, endpoint
        self._metadata = (*metadata, ("authorization", "Bearer owner")) if endpoint else tuple(metadata)
        self._opening = Lock()
        self._process = 0
        self._channel: grpc.Channel | None = None
        self._stubs: dict[str, Callable[..., Any]] = {}

    def send(self, method: Method, request: Any, timeout_seconds: float) -> Any:
        """Call once; a stream comes back as a list.

        Raises:
            RpcFailed: whatever the reason.
        """
        counters.current().rpcs += 1
        stub = self._stub(method)
        metadata = (*self._metadata, routing(method, request)) if method.route else self._metadata
        try:
            answer = stub(request, timeout=timeout_seconds, metadata=metadata)
            return list(answer) if method.streams else answer
        except grpc.RpcError as error:
            raise RpcFailed(method, error.code(), error.details() or "") from error

    def ask(self, method: Method, request: Any, deadline: Deadline | None = None) -> Any:
        """Call until there is an answer: only for what may happen twice.

        Raises:
            Retryable: no answer in time.
            RpcFailed: an error that another try would not change.
        """
        deadline = deadline or self.patience.start()
        for attempt in range(1, ATTEMPTS + 1):
            left = deadline.left_seconds()
            if left <= 0:
                break
            try:
                return self.send(method, request, left)
            except RpcFailed as failed:
                if failed.status not in TRANSIENT:
                    raise
                if attempt == ATTEMPTS or not deadline.pause():
                    raise silent(method) from failed
        raise silent(method)

    def close(self) -> None:
        """Hang up; the next call opens a new channel."""
        with self._opening:
            if self._channel is not None:
                self._channel.close()
            self._process, self._channel, self._stubs = 0, None, {}

    def _stub(self, method: Method) -> Callable[..., Any]:
        if self._process != os.getpid():
            self._open()
        stub = self._stubs.get(method.path)
        if stub is None:
            stub = self._stubs.setdefault(method.path, self._new_stub(method))
        return stub

    def _new_stub(self, method: Method) -> Callable[..., Any]:
        if self._channel is None:
            message = "the channel was closed"
            raise RuntimeError(message)
        make = self._channel.unary_stream if method.streams else self._channel.unary_unary
        stub: Callable[..., Any] = make(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        return stub

    def _open(self) -> None:
        with self._opening:
            if self._process == os.getpid():
                return
            self._stubs = {}
            self._channel = _insecure(self._endpoint) if self._endpoint else _secure(self._host)
            self._process = os.getpid()


def routing(method: Method, request: Any) -> tuple[str, str]:
    """The header by which Google's front end finds the region, as its own clients send it."""
    return "x-goog-request-params", f"{method.route}={quote(getattr(request, method.route), safe='/')}"


def silent(method: Method) -> Retryable:
    """The fault for a question that got no answer in time."""
    name = method.path.rsplit("/", 1)[-1]
    return Retryable(f"{name} was not answered in time", detail={"rpc": name})


def _insecure(endpoint: str) -> grpc.Channel:
    return grpc.insecure_channel(endpoint, options=(*_OPTIONS, ("grpc.enable_http_proxy", 0)))


def _secure(host: str) -> grpc.Channel:
    import google.auth  # noqa: PLC0415 - 0.1 s that only a real project pays
    from google.auth.transport.grpc import secure_authorized_channel  # noqa: PLC0415 - as above
    from google.auth.transport.requests import Request  # noqa: PLC0415 - as above

    credentials, _ = google.auth.default(scopes=[_SCOPE])
    connect: Callable[..., grpc.Channel] = secure_authorized_channel
    return connect(credentials, Request(), f"{host}:443", options=_OPTIONS)
