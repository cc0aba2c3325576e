"""HTTP statuses as google.rpc codes, the way Google's services report a target's answer.

Source: the HTTP mapping in google/rpc/code.proto, read backwards.
"""

from http import HTTPStatus

OK = 0
UNKNOWN = 2

CODES = {
    HTTPStatus.BAD_REQUEST: 3,
    HTTPStatus.UNAUTHORIZED: 16,
    HTTPStatus.FORBIDDEN: 7,
    HTTPStatus.NOT_FOUND: 5,
    HTTPStatus.CONFLICT: 10,
    HTTPStatus.TOO_MANY_REQUESTS: 8,
    HTTPStatus.INTERNAL_SERVER_ERROR: 13,
    HTTPStatus.NOT_IMPLEMENTED: 12,
    HTTPStatus.SERVICE_UNAVAILABLE: 14,
    HTTPStatus.GATEWAY_TIMEOUT: 4,
}


def rpc_code(status: int) -> int:
    """The google.rpc code of an HTTP status: 0 for any 2xx, 2 (UNKNOWN) where the mapping names none."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return OK
    return next((code for known, code in CODES.items() if known == status), UNKNOWN)
