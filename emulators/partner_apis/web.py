"""One loopback server for all partners, each at the paths of its own API, and what a driver tells it under /admin.

- `POST /admin/things` `{"partner", "thing", "id", "amount", "currency", "status", ...}`: let a partner know of a thing.
- `POST /admin/faults` `{"partner", "kind", "times", "status", "seconds"}`: let its next answers go wrong.
- `POST /admin/heal` `{"partner"}`: nothing goes wrong any more.
- `GET /admin/asked`: what was asked, in order.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from emulators.partner_apis import adyen, airwallex, gocardless, square, stripe, wise
from emulators.partner_apis.things import Answer, Asked, Known, Things

REVOKED: Final = "revoked-key"
"""The one key that no partner takes."""
HUGE_BYTES: Final = 4_000_000
_CALLS_KEPT: Final = 20_000

_PLACES: Final = (
    (("api", "v1"), "airwallex"),
    (("v72",), "adyen"),
    (("v2",), "square"),
    (("v1", "transfers"), "wise"),
    (("v1",), "stripe"),
    ((), "gocardless"),
)
"""Where each partner's paths begin; the first that fits."""
_ANSWERS: Final[dict[str, Callable[[Things, Asked], Answer]]] = {
    one.NAME: one.answer for one in (adyen, airwallex, gocardless, square, stripe, wise)
}


@dataclass(slots=True)
class Trouble:
    """What goes wrong with so many answers.

    `status`: nothing is done, and this is the status. `silent`: nothing is done, nor answered for so many seconds.
    `late`: it is done, and answered after so many seconds. `garbage`, `huge`: what comes is no answer.
    """

    kind: str
    times: int = 1
    status: int = 503
    seconds: float = 0


@dataclass(slots=True)
class PartnersWeb:
    """The server's state and its routes."""

    things: Things = field(default_factory=Things)
    troubles: dict[str, deque[Trouble]] = field(default_factory=dict)
    asked: deque[tuple[str, str, str]] = field(default_factory=lambda: deque(maxlen=_CALLS_KEPT))

    def application(self) -> web.Application:
        """The aiohttp application."""
        application = web.Application()
        application.add_routes(
            [
                web.post("/admin/things", self._feed),
                web.post("/admin/faults", self._trouble),
                web.post("/admin/heal", self._heal),
                web.get("/admin/asked", self._asked),
                web.route("*", "/{path:.*}", self._answer),
            ]
        )
        return application

    async def _feed(self, request: web.Request) -> web.Response:
        self.things.feed(Known.of(await request.json()))
        return web.json_response({})

    async def _trouble(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.troubles.setdefault(said.pop("partner"), deque()).append(Trouble(**said))
        return web.json_response({})

    async def _heal(self, request: web.Request) -> web.Response:
        self.troubles.pop((await request.json())["partner"], None)
        return web.json_response({})

    async def _asked(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"asked": [{"partner": partner, "method": method, "path": path} for partner, method, path in self.asked]}
        )

    async def _answer(self, request: web.Request) -> web.Response:
        parts = tuple(part for part in request.path.split("/") if part)
        place, partner = next(one for one in _PLACES if parts[: len(one[0])] == one[0])
        kept = len(place) - (partner == "wise")
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        asked = Asked(request.method, parts[kept:], dict(request.query), headers, body)
        self.asked.append((partner, request.method, request.path))
        if REVOKED in str(headers):
            return web.json_response({"error": {"type": "unauthorized"}, "code": "unauthorized"}, status=401)
        trouble = self._next_trouble(partner)
        return await _spoiled(trouble, self.things, partner, asked)

    def _next_trouble(self, partner: str) -> Trouble | None:
        waiting = self.troubles.get(partner)
        if not waiting:
            return None
        waiting[0].times -= 1
        return waiting[0] if waiting[0].times else waiting.popleft()


async def _spoiled(trouble: Trouble | None, things: Things, partner: str, asked: Asked) -> web.Response:
    """The answer, with what is to go wrong with it."""
    if trouble and trouble.kind == "status":
        return web.json_response({"message": "as told to"}, status=trouble.status)
    if trouble and trouble.kind == "garbage":
        return web.Response(text="<html>sorry</html>", content_type="text/html")
    if trouble and trouble.kind == "huge":
        return web.Response(body=b'"' + b"x" * HUGE_BYTES + b'"', content_type="application/json")
    if trouble and trouble.kind == "silent":
        await asyncio.sleep(trouble.seconds)
        return web.json_response({"message": "as told to"}, status=503)
    made = _ANSWERS[partner](things, asked)
    if trouble and trouble.kind == "late":
        await asyncio.sleep(trouble.seconds)
    return web.json_response(made.said, status=made.status)
