"""The webhook door: a partner's raw bytes, tenant and partner from the path, and a use case that checks the signature.

Nothing is parsed here: a parsed body breaks signatures. Neither flask-openapi3 nor jwt is loaded,
for this door must wake quickly.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from werkzeug.wrappers import Request, Response

from shared.calls import Call
from shared.faults import NotFound
from shared.http.frame import Exchange, framed, settle
from shared.http.house import FrameHouse
from shared.http.requests import keyed_request, read_bytes, require_method
from shared.identity import Cause, TenantId
from shared.limits import WEBHOOK_BYTES

_PATH: Final = re.compile(r"/v1/webhooks/([a-z][a-z0-9]{1,30})/([a-z][a-z0-9_]{1,30})")
_ROUTE: Final = "/v1/webhooks/{tenant}/{partner}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it arrived; header names are in lower case.

    `call.cause` has no key yet: the use case names the partner's event once the signature is proven
    (`dataclasses.replace(call, cause=...)`).
    """

    tenant: TenantId
    partner: str
    body: bytes
    headers: Mapping[str, str]
    call: Call

    def __repr__(self) -> str:
        """The path only: body and headers hold personal data and signatures."""
        return f"Delivery({self.tenant}/{self.partner}, {len(self.body)} bytes)"


def webhook_door(
    request: Request, door: str, house: Callable[[], FrameHouse], handle: Callable[[Delivery], object]
) -> Response:
    """Serve one delivery: `handle(delivery)` answers 200 `{"received": true}`, and its refusals become problems."""
    rooms = house()

    def act(exchange: Exchange) -> Response:
        match = _PATH.fullmatch(request.path)
        if match is None:
            message = f"webhooks are received at {_ROUTE}"
            raise NotFound(message)
        exchange.route = _ROUTE
        require_method(request, "POST")
        tenant, partner = TenantId(match[1]), match[2]
        exchange.tenant, exchange.principal = tenant, f"partner:{partner}"
        body = read_bytes(request, WEBHOOK_BYTES)
        call = _call(exchange, tenant, partner, keyed_request(rooms, body))
        headers = {name.lower(): value for name, value in request.headers.items()}
        settle(exchange, handle(Delivery(tenant, partner, body, headers, call)))
        return Response(json.dumps({"received": True}), 200, content_type="application/json")

    return framed(request, door, rooms, act)


def _call(exchange: Exchange, tenant: TenantId, partner: str, hashes: tuple[str, ...]) -> Call:
    return Call(
        tenant=tenant,
        principal=f"partner:{partner}",
        cause=Cause(f"webhook:{partner}", exchange.door, ""),
        request_id=exchange.request_id,
        request_hash=hashes[0],
        traceparent=exchange.trace.traceparent,
        at=exchange.at,
        earlier_hashes=hashes[1:],
    )
