"""Calling a door the way its trigger would: with the caller's token, or a key, or as a Pub/Sub push."""

import base64
import json
from dataclasses import dataclass
from typing import Any, Final

import requests

from emulators.catalogue import Catalogue, FromTopic, Function, HttpPath, read_catalogue
from emulators.processes import CloudFault
from emulators.state import PROJECT, State
from shared.identity import SystemIds

_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A door's answer."""

    status: int
    text: str


def trigger(state: State, name: str, body: Any, key: str | None) -> Answer:
    """Call a door of a running cloud.

    A private door gets the identity token of its caller; an event door gets `body` as the data of
    a Pub/Sub message, unless it already is a push; a public door gets `key`, and a GET when there
    is no body.

    Raises:
        CloudFault: there is no such door, or nobody answers.
    """
    catalogue = read_catalogue()
    function = catalogue.function(name)
    try:
        match function.trigger:
            case HttpPath(path):
                return _call_public(state, path, body, key)
            case FromTopic(topic):
                return _call_private(state, catalogue, function, _as_push(body, topic))
            case _:
                return _call_private(state, catalogue, function, {} if body is None else body)
    except requests.RequestException as error:
        message = f"{name} did not answer: {type(error).__name__}"
        raise CloudFault(message) from error


def _call_public(state: State, path: str, body: Any, key: str | None) -> Answer:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    headers |= {} if body is None else {"Idempotency-Key": SystemIds().token(15)}
    method = "GET" if body is None else "POST"
    url = state.environment["DAYBOOK_DOORS_URL"] + path
    return _answer(requests.request(method, url, json=body, headers=headers, timeout=_SECONDS))


def _call_private(state: State, catalogue: Catalogue, function: Function, body: Any) -> Answer:
    url = f"{state.environment['DAYBOOK_DOORS_URL']}/{function.name}"
    account = catalogue.callers[function.callers[0]]
    token = _token(state, f"{account}@{PROJECT}.iam.gserviceaccount.com", url)
    headers = {"Authorization": f"Bearer {token}"}
    return _answer(requests.post(url, json=body, headers=headers, timeout=_SECONDS))


def _token(state: State, email: str, audience: str) -> str:
    url = f"{state.environment['DAYBOOK_OIDC_ISSUER']}/admin/token"
    answer = requests.post(url, json={"email": email, "audience": audience}, timeout=_SECONDS)
    answer.raise_for_status()
    return str(answer.json()["token"])


def _as_push(body: Any, topic: str) -> Any:
    if isinstance(body, dict) and "message" in body:
        return body
    data = base64.b64encode(json.dumps({} if body is None else body).encode()).decode("ascii")
    message = {"data": data, "messageId": SystemIds().token(10), "attributes": {}}
    return {"subscription": f"projects/{PROJECT}/subscriptions/{topic}", "message": message}


def _answer(response: requests.Response) -> Answer:
    return Answer(response.status_code, response.text)
