"""An issuer of OIDC tokens with a real JWKS address on this machine."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.builders import NOON


class Issuer:
    """Signs tokens; its published keys can be changed, and it counts how often they were asked for."""

    def __init__(self) -> None:
        self.keys = {name: rsa.generate_private_key(65537, 2048) for name in ("one", "two", "stranger")}
        self.published = ["one"]
        self.asked = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.jwks_url = f"http://127.0.0.1:{self._server.server_port}/jwks"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, door: str, *, key: str = "one", kid: str | None = None, **claims: Any) -> str:
        """A token for a door, good unless the claims say otherwise; a claim of None is left out."""
        now = int(NOON.timestamp())
        values: dict[str, Any] = {
            "iss": "https://issuer.test",
            "aud": f"https://doors.test/{door}",
            "email": "daybook-tasks@daybook-test.iam.gserviceaccount.com",
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
        } | claims
        payload = {name: value for name, value in values.items() if value is not None}
        return jwt.encode(payload, self.keys[key], algorithm="RS256", headers={"kid": kid or key})

    def jwks(self) -> dict[str, Any]:
        """The published keys."""
        return {
            "keys": [
                RSAAlgorithm.to_jwk(self.keys[name].public_key(), as_dict=True)
                | {"kid": name, "alg": "RS256", "use": "sig"}
                for name in self.published
            ]
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                body = json.dumps(issuer.jwks()).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
