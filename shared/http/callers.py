"""An API request becomes a `Call`: the key says who and which tenant, the role whether, the header that it is once."""

from werkzeug.wrappers import Request

from shared.calls import Call
from shared.faults import Forbidden
from shared.http.access import may
from shared.http.frame import Exchange
from shared.http.house import Credential, FrameHouse
from shared.http.requests import bearer, keyed_request
from shared.identity import Cause


def admit(request: Request, house: FrameHouse, exchange: Exchange, scope: str) -> Credential:
    """Who asks, once it is certain that their role carries the route's scope.

    Raises:
        Unauthenticated: no key, or one that opens nothing.
        Forbidden: the role does not carry the scope.
    """
    credential = house.credentials.authenticate(bearer(request), exchange.at)
    exchange.tenant, exchange.principal = credential.tenant, credential.principal
    if not may(credential.role, scope):
        message = f"the role {credential.role} does not carry {scope}"
        raise Forbidden(message)
    return credential


def reading_call(exchange: Exchange, credential: Credential, path: str) -> Call:
    """The call of a request that writes nothing; nothing will be looked up under its cause."""
    return _call(exchange, credential, path, exchange.request_id, ("",), once=False)


def writing_call(  # noqa: PLR0913 - a request in its parts
    exchange: Exchange, credential: Credential, path: str, *, key: str, body: bytes, house: FrameHouse
) -> Call:
    """The call of a request that writes: once for each tenant, method, path and key.

    Its hash covers who asks: under a key that another principal used, nothing is done or shown again.
    """
    request = b"\n".join((exchange.method.encode(), path.encode(), credential.principal.encode(), body))
    return _call(exchange, credential, path, key, keyed_request(house, request), once=True)


def _call(  # noqa: PLR0913 - as above
    exchange: Exchange, credential: Credential, path: str, key: str, hashes: tuple[str, ...], *, once: bool
) -> Call:
    return Call(
        tenant=credential.tenant,
        principal=credential.principal,
        # the tenant is part of the key: ids of messages come from causes, and queues are shared by tenants
        cause=Cause("api", f"{exchange.method} {path}", f"{credential.tenant}:{key}"),
        request_id=exchange.request_id,
        request_hash=hashes[0],
        traceparent=exchange.trace.traceparent,
        at=exchange.at,
        once=once,
        earlier_hashes=hashes[1:],
    )
