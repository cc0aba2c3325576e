"""Identity tokens like the ones Google signs for a service account, from a key of our own.

Claims as in Google's ID tokens for service accounts: iss, aud, azp, sub, email, email_verified,
iat, exp one hour later, all by the settable clock.
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.services.state import StateFile
from shared.clock import Clock

LIFETIME = timedelta(hours=1)
REUSED_FOR = timedelta(minutes=5)
KEY_BITS = 2048
SECTION = "oidc"


class Issuer:
    """Signs tokens and publishes the public key; the private one stays in the state file."""

    def __init__(self, url: str, clock: Clock, state: StateFile) -> None:
        """Take the key kept in `state`, or make one."""
        self.url = url
        self._clock = clock
        pem = state.read(SECTION) or _new_key()
        state.keep(SECTION, pem)
        self._key = serialization.load_pem_private_key(pem.encode(), password=None)
        self._public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))  # type: ignore[arg-type] # always RSA
        self._kid = hashlib.sha256(self._public["n"].encode()).hexdigest()[:40]
        self._tokens: dict[tuple[str, str], tuple[datetime, str]] = {}

    def token(self, email: str, audience: str) -> str:
        """A signed token (RS256); the same one for a few minutes, as signing costs about a millisecond."""
        now = self._clock.now()
        kept = self._tokens.get((email, audience))
        if kept and timedelta() <= now - kept[0] < REUSED_FOR:
            return kept[1]
        token = self._sign(email, audience, now)
        self._tokens[email, audience] = (now, token)
        return token

    def _sign(self, email: str, audience: str, now: datetime) -> str:
        subject = str(int.from_bytes(hashlib.sha256(email.encode()).digest()[:8], "big"))
        issued = int(now.timestamp())
        claims = {
            "iss": self.url,
            "aud": audience,
            "azp": subject,
            "sub": subject,
            "email": email,
            "email_verified": True,
            "iat": issued,
            "exp": issued + int(LIFETIME.total_seconds()),
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid})  # type: ignore[arg-type] # always RSA

    def jwks(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [{**self._public, "kid": self._kid, "use": "sig", "alg": "RS256"}]}

    def configuration(self) -> dict[str, Any]:
        """The discovery document of this issuer (OpenID Connect Discovery 1.0)."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }


def _new_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()
