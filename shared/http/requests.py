"""What a request says besides its meaning: method, media type, size, token, idempotency key; each has its own check."""

import re
from typing import Final

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request

from shared.faults import Unauthenticated
from shared.http.house import FrameHouse
from shared.http.problems import WrongMediaType, WrongMethod, malformed, too_large
from shared.identity import keyed_hash

REQUEST_HASH: Final = "request-hash"
"""The secret whose newest version keys every request hash; older live versions recognise what it keyed before."""

_BEARER: Final = re.compile(r"[Bb]earer ([\x21-\x7e]{1,8192})")
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


def require_method(request: Request, method: str) -> None:
    """Refuse other methods.

    Raises:
        WrongMethod: it is another one.
    """
    if request.method != method:
        message = "this path does not take this method"
        raise WrongMethod(message, detail={"allow": method})


def require_json(request: Request) -> None:
    """Refuse a body that does not call itself JSON.

    Raises:
        WrongMediaType: the Content-Type is missing or another one.
    """
    if request.mimetype != "application/json":
        message = "the body must be application/json"
        raise WrongMediaType(message, field="Content-Type")


def read_bytes(request: Request, limit_bytes: int) -> bytes:
    """The request's body, as sent.

    Raises:
        TooLarge: it announces, or brings, more than the limit.
        Malformed: it brings less than it announces.
        WrongMediaType: it is compressed.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        message = "bodies are sent without Content-Encoding"
        raise WrongMediaType(message, field="Content-Encoding")
    if (request.content_length or 0) > limit_bytes:
        raise too_large(limit_bytes)
    body = bytearray()
    try:
        while piece := request.stream.read(limit_bytes + 1 - len(body)):
            body += piece
            if len(body) > limit_bytes:
                raise too_large(limit_bytes)
    except ClientDisconnected:
        message = "the body ended before its Content-Length"
        raise malformed(message) from None
    return bytes(body)


def bearer(request: Request) -> str:
    """The bearer token of a request.

    Raises:
        Unauthenticated: there is none, or it is garbled.
    """
    match = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        message = "send `Authorization: Bearer ...`"
        raise Unauthenticated(message)
    return match.group(1)


def idempotency_key(request: Request) -> str:
    """The key under which a writing request is done once.

    Raises:
        Malformed: it is missing, or not 1 to 255 visible ASCII characters.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        message = "a POST that writes needs an Idempotency-Key of 1 to 255 visible ASCII characters"
        raise malformed(message, field="Idempotency-Key")
    return key


def keyed_request(house: FrameHouse, request: bytes) -> tuple[str, ...]:
    """The hashes that decide whether a request is the same again, newest first; nobody can guess what it was."""
    return tuple(keyed_hash(key, request) for key in house.secrets.versions(REQUEST_HASH))
