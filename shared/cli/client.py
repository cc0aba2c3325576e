"""One authenticated client of the API that says refusals in one line."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from shared.identity import Ids

TIMEOUT_SECONDS: Final = 60.0
READS: Final = 6
"""Times that something is asked for which nobody answered for now."""
PAUSE_SECONDS: Final = 0.5

_REFUSED_FROM: Final = 400
_FAILED_FROM: Final = 500
_TOO_MANY: Final = 429


class ApiRefused(Exception):
    """The API, or the way to it, said no; the message is one line for a person. Without an answer the status is 0."""

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        """Keep the HTTP status and the problem's code."""
        super().__init__(message)
        self.status, self.code = status, code

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later: nobody answered, or nothing was decided."""
        return self.status in {0, _TOO_MANY} or self.status >= _FAILED_FROM


@dataclass(frozen=True, slots=True)
class Client:
    """The API at `url`, spoken to with `key`."""

    url: str
    key: str
    ids: Ids
    pause: Callable[[float], None] = time.sleep

    def post(self, path: str, body: Mapping[str, Any], key: str = "") -> dict[str, Any]:
        """POST JSON under an idempotency key, a fresh one unless it is given, and return the JSON answer.

        Raises:
            ApiRefused: not reachable, or answered with a problem.
        """
        return self._send("POST", path, body, {"Idempotency-Key": key or self.fresh_key()})

    def fresh_key(self) -> str:
        """An idempotency key that nobody used: for one request, however often it is sent."""
        return self.ids.token(15)

    def get(self, path: str) -> dict[str, Any]:
        """GET and return the JSON answer; asked again, READS times in all, while the API says to come later.

        Raises:
            ApiRefused: not reachable, or answered with a problem.
        """
        for number in range(1, READS):
            try:
                return self._send("GET", path, None, {})
            except ApiRefused as refused:
                if not (refused.status and refused.may_pass):
                    raise
                self.pause(PAUSE_SECONDS * number)
        return self._send("GET", path, None, {})

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        sent = {"Authorization": f"Bearer {self.key}", **headers}
        try:
            answer = requests.request(
                method, f"{self.url.rstrip('/')}{path}", json=body, headers=sent, timeout=TIMEOUT_SECONDS
            )
        except (requests.exceptions.InvalidJSONError, RecursionError) as error:
            message = "the request holds a number that JSON has not, or is nested too deep"
            raise ApiRefused(message, status=400, code="malformed") from error
        except requests.RequestException as error:
            message = f"no answer from {self.url}: {type(error).__name__}"
            raise ApiRefused(message) from error
        if answer.status_code >= _REFUSED_FROM:
            raise _refusal(answer)
        return _json(answer)


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        message = f"{answer.status_code} without JSON from {answer.url}: is that Daybook's API?"
        raise ApiRefused(message)
    return value


def _refusal(answer: requests.Response) -> ApiRefused:
    """A problem document (RFC 9457) as one line."""
    status = answer.status_code
    try:
        told = answer.json()
        parts = [told.get("detail") or told.get("title"), f"code {told.get('code')}", f"status {status}"]
        parts += [f"field {told['field']}"] if told.get("field") else []
        parts += [f"request {told['request_id']}"] if told.get("request_id") else []
        code = str(told.get("code"))
    except (ValueError, AttributeError):
        return ApiRefused(f"{status} {answer.reason} from {answer.url}", status=status)
    return ApiRefused(f"{parts[0]} ({', '.join(parts[1:])})", status=status, code=code)
