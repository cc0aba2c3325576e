"""Pub/Sub pushes with the identity token that Google's Pub/Sub emulator cannot add.

The emulator pushes to `/push/{function}/projects/{p}/topics/{t}` here; the body goes on unchanged
to the door, and the door's status goes back, so retries and dead letters stay the emulator's.
"""

from datetime import timedelta

from aiohttp import web

from emulators.services.oidc import Issuer
from emulators.services.outcalls import Outcall, Outcalls, passed_headers

CALLER = "daybook-events"
DEADLINE = timedelta(minutes=10)
"""The longest acknowledgement deadline of a push subscription."""


class Relay:
    """Forwards pushes to the doors."""

    def __init__(self, doors_url: str, issuer: Issuer, outcalls: Outcalls) -> None:
        """Doors are at {doors_url}/{function}; without a doors_url every push is told to try later."""
        self._doors_url = doors_url.rstrip("/")
        self._issuer = issuer
        self._outcalls = outcalls
        self.running = 0
        self.pushed = 0

    async def push(self, request: web.Request) -> web.Response:
        """Forward one push."""
        if not self._doors_url:
            return web.Response(status=503, text="no doors to push to")
        url = f"{self._doors_url}/{request.match_info['function']}"
        email = f"{CALLER}@{request.match_info['project']}.iam.gserviceaccount.com"
        kept = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
        headers = passed_headers(kept) | {
            "Authorization": f"Bearer {self._issuer.token(email, url)}",
            "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
        }
        self.running += 1
        try:
            answer = await self._outcalls.send(Outcall("POST", url, headers, await request.read(), DEADLINE))
        finally:
            self.running -= 1
            self.pushed += 1
        return web.Response(status=answer.status)
