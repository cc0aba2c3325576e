"""Generic gRPC handlers over the clients' own message types: no generated servicers, no protos of ours."""

import errno
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

from emulators.services.declined import Declined

Message: TypeAlias = Any
"""A raw protobuf message. The clients' packages ship no static types for theirs."""

MESSAGE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Rpc:
    """One unary method: its name on the wire, what answers it, and both raw message classes."""

    name: str
    answer: Callable[[Message], Awaitable[Message]]
    request: Message
    response: Message


def service(name: str, rpcs: Sequence[Rpc]) -> grpc.GenericRpcHandler:
    """A service by its full name; methods that are not listed are answered UNIMPLEMENTED by gRPC itself."""
    handlers = {
        rpc.name: grpc.unary_unary_rpc_method_handler(
            _declining(rpc.answer),
            request_deserializer=rpc.request.FromString,
            response_serializer=rpc.response.SerializeToString,
        )
        for rpc in rpcs
    }
    return grpc.method_handlers_generic_handler(name, handlers)


def _declining(answer: Callable[[Message], Awaitable[Message]]) -> Callable[[Message, Any], Awaitable[Message]]:
    async def respond(request: Message, context: Any) -> Message:
        try:
            return await answer(request)
        except Declined as declined:
            await context.abort(declined.status, str(declined))

    return respond


async def serve(port: int, services: Sequence[grpc.GenericRpcHandler]) -> grpc.aio.Server:
    """Start a server on the loopback address.

    Port sharing is off: by default gRPC would let two emulators take the same port silently.

    Raises:
        OSError: the port is taken.
    """
    server = grpc.aio.server(
        options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MESSAGE_BYTES)],
    )
    server.add_generic_rpc_handlers(tuple(services))
    try:
        server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as taken:  # gRPC's word for it
        raise OSError(errno.EADDRINUSE, f"address already in use: 127.0.0.1:{port}") from taken
    await server.start()
    return server
