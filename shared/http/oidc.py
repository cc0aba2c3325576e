"""Who knocks at a private door: an OIDC token that Google (or the laptop's own issuer) signed for this door and caller.

The platform checks the invoker already; this checks again, so that a door opened by mistake stays
shut. Keys come from the issuer's JWKS address, are kept for an hour, and are asked for again when
an unknown one signs, but not more often than every 30 seconds.
"""

import json
import threading
import urllib.request
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import jwt
from jwt.types import Options

from shared.faults import Forbidden, Retryable, Unauthenticated
from shared.settings import Settings

KEYS_LIVE: Final = timedelta(hours=1)
ASK_AGAIN_AFTER: Final = timedelta(seconds=30)
SILENT_FOR: Final = timedelta(seconds=5)
"""After an unanswered question nobody asks again for so long: requests behind it would wait one after another."""

LEEWAY_SECONDS: Final = 60
FETCH_SECONDS: Final = 5
JWKS_BYTES: Final = 262_144

_OPTIONS: Final[Options] = {
    # time is checked against the house's clock below
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "strict_aud": True,
    "require": ["exp", "iat", "aud", "iss", "email"],
}


class KeysUnavailable(Retryable):
    """The issuer's keys could not be read now."""

    code = "oidc_keys_unavailable"


class Reason(Enum):
    """Why a token is not accepted."""

    GARBLED_OR_FORGED = "garbled_or_forged"
    UNKNOWN_KEY = "unknown_key"
    WRONG_AUDIENCE = "wrong_audience"
    WRONG_ISSUER = "wrong_issuer"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    UNVERIFIED_ACCOUNT = "unverified_account"


class TokenRefused(Unauthenticated):
    """The token does not open this door."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason; the token itself is never quoted."""
        super().__init__("the token does not open this door", field="Authorization", detail={"reason": reason.value})


class KeyRing:
    """The issuer's public keys, by key id; one for each process and address, shared by its threads."""

    def __init__(self, url: str) -> None:
        """Read keys from a JWKS address (RFC 7517, section 5)."""
        self._url = url
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked_at: datetime | None = None
        self._unanswered_at: datetime | None = None

    def key(self, key_id: str, at: datetime) -> jwt.PyJWK | None:
        """The key, or None when the issuer has none of that id.

        Raises:
            KeysUnavailable: the address did not answer, or not with keys.
        """
        with self._lock:
            age = KEYS_LIVE if self._asked_at is None else at - self._asked_at
            if age >= KEYS_LIVE or (key_id not in self._keys and age >= ASK_AGAIN_AFTER):
                self._keys, self._asked_at = self._fetch(at), at
            return self._keys.get(key_id)

    def _fetch(self, at: datetime) -> dict[str, jwt.PyJWK]:
        message = "the issuer's keys could not be read"
        if self._unanswered_at is not None and abs(at - self._unanswered_at) < SILENT_FOR:
            raise KeysUnavailable(message)
        try:
            with urllib.request.urlopen(self._url, timeout=FETCH_SECONDS) as answer:  # noqa: S310 - from settings
                keys = jwt.PyJWKSet.from_dict(json.loads(answer.read(JWKS_BYTES))).keys
        except (OSError, ValueError, AttributeError, jwt.PyJWTError) as error:
            self._unanswered_at = at
            raise KeysUnavailable(message) from error
        return {key.key_id: key for key in keys if key.key_id}


@lru_cache(maxsize=8)
def key_ring(url: str) -> KeyRing:
    """The process's key ring for an address."""
    return KeyRing(url)


def verify(token: str, *, settings: Settings, door: str, accounts: Sequence[str], at: datetime) -> str:
    """The e-mail of the service account that holds the token.

    `accounts` are names before the `@`: the door's callers.

    Raises:
        Unauthenticated: the token is garbled, forged, for another door, from another issuer, expired or not yet valid.
        Forbidden: the token is good and its account may not call this door.
        KeysUnavailable: it cannot be told now.
    """
    claims = _claims(token, settings, door, at)
    _check_time(claims, int(at.timestamp()))
    email = claims["email"]
    if claims.get("email_verified") is not True:
        raise TokenRefused(Reason.UNVERIFIED_ACCOUNT)
    if email not in {f"{account}@{settings.callers_domain}" for account in accounts}:
        message = f"this account may not call {door}"
        raise Forbidden(message)
    return str(email)


def _claims(token: str, settings: Settings, door: str, at: datetime) -> dict[str, Any]:
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
        key = key_ring(settings.oidc_jwks_url).key(key_id, at) if isinstance(key_id, str) else None
        if key is None:
            raise TokenRefused(Reason.UNKNOWN_KEY)
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=f"{settings.doors_url}/{door}",
            issuer=settings.oidc_issuer,
            options=_OPTIONS,
        )
    except jwt.InvalidAudienceError as error:
        raise TokenRefused(Reason.WRONG_AUDIENCE) from error
    except jwt.InvalidIssuerError as error:
        raise TokenRefused(Reason.WRONG_ISSUER) from error
    except jwt.PyJWTError as error:
        raise TokenRefused(Reason.GARBLED_OR_FORGED) from error


def _check_time(claims: dict[str, Any], now: int) -> None:
    expires, issued = claims["exp"], claims["iat"]
    if type(expires) is not int or type(issued) is not int:
        raise TokenRefused(Reason.GARBLED_OR_FORGED)
    if now > expires + LEEWAY_SECONDS:
        raise TokenRefused(Reason.EXPIRED)
    if now < issued - LEEWAY_SECONDS:
        raise TokenRefused(Reason.NOT_YET_VALID)
