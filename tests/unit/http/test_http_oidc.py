import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from werkzeug.test import Client

from shared.http.oidc import ASK_AGAIN_AFTER, KEYS_LIVE, SILENT_FOR, KeyRing, KeysUnavailable
from tests.builders import NOON
from tests.unit.http.conftest import client_of
from tests.unit.http.issuer import Issuer
from tests.unit.http.private_doors import Worker, a_task, a_task_door
from tests.unit.http.problems import assert_problem
from tests.unit.http.rooms import SETTINGS, Rooms

NOW = int(NOON.timestamp())
DOOR = "calculate_payslips"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "https://doors.test/post_payslips"}, "wrong_audience"),
        ({"aud": "https://doors.test"}, "wrong_audience"),
        ({"aud": ["https://doors.test/calculate_payslips", "https://elsewhere.test"]}, "wrong_audience"),
        ({"aud": None}, "garbled_or_forged"),
        ({"iss": "https://accounts.evil.test"}, "wrong_issuer"),
        ({"iss": None}, "garbled_or_forged"),
        ({"exp": NOW - 61, "iat": NOW - 3600}, "expired"),
        ({"exp": None}, "garbled_or_forged"),
        ({"exp": NOW + 0.5}, "garbled_or_forged"),
        ({"iat": NOW + 61}, "not_yet_valid"),
        ({"email_verified": False}, "unverified_account"),
        ({"email_verified": "true"}, "unverified_account"),
        ({"email_verified": None}, "unverified_account"),
        ({"email": None}, "garbled_or_forged"),
        ({"key": "stranger"}, "unknown_key"),
        ({"key": "stranger", "kid": "one"}, "garbled_or_forged"),
    ],
)
def test_a_token_that_is_not_good_does_not_open(
    task_door: Client, worker: Worker, issuer: Issuer, claims: dict[str, Any], reason: str
) -> None:
    """401 before the body is read, and the reason without the token."""
    token = issuer.token(DOOR, **claims)
    answer = task_door.post("/", data=b"not json", headers={"Authorization": f"Bearer {token}"})
    problem = assert_problem(answer, 401, "unauthenticated", "Authorization")
    assert problem["context"] == {"reason": reason}
    assert token not in answer.text
    assert worker.given == []


@pytest.mark.parametrize("account", ["daybook-events", "daybook-scheduler", "stranger"])
def test_another_caller_is_forbidden(task_door: Client, worker: Worker, issuer: Issuer, account: str) -> None:
    """A good token of an account that has no business here is 403."""
    token = issuer.token(DOOR, email=f"{account}@daybook-test.iam.gserviceaccount.com")
    answer = task_door.post("/", json=a_task(), headers={"Authorization": f"Bearer {token}"})
    assert_problem(answer, 403, "forbidden")
    assert worker.given == []


def test_the_caller_of_another_project_is_forbidden(task_door: Client, issuer: Issuer) -> None:
    """The same name elsewhere is somebody else."""
    token = issuer.token(DOOR, email="daybook-tasks@other.iam.gserviceaccount.com")
    assert_problem(task_door.post("/", json=a_task(), headers={"Authorization": f"Bearer {token}"}), 403, "forbidden")


@pytest.mark.parametrize("claims", [{"exp": NOW - 59, "iat": NOW - 3600}, {"iat": NOW + 59}])
def test_clocks_may_differ_by_a_minute(task_door: Client, issuer: Issuer, claims: dict[str, Any]) -> None:
    """Leeway on both sides, by the house's clock."""
    token = issuer.token(DOOR, **claims)
    assert task_door.post("/", json=a_task(), headers={"Authorization": f"Bearer {token}"}).status_code == 200


def _unsigned(header: dict[str, str]) -> str:
    claims = {"iss": "https://issuer.test", "aud": f"https://doors.test/{DOOR}", "iat": NOW, "exp": NOW + 60}
    parts = (json.dumps(part).encode() for part in (header, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "garbage",
        _unsigned({"alg": "none", "kid": "one"}),
        _unsigned({"alg": "RS256", "kid": "one"}),
        jwt.encode({"aud": DOOR}, "k" * 32, algorithm="HS256", headers={"kid": "one"}),
        jwt.encode({"aud": DOOR}, "k" * 32, algorithm="HS256"),
    ],
)
def test_what_is_no_signed_token_does_not_open(task_door: Client, worker: Worker, token: str) -> None:
    """No algorithm but RS256, no token without a known key."""
    answer = task_door.post("/", json=a_task(), headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (401, "unauthenticated")
    assert worker.given == []


def test_no_token_does_not_open(task_door: Client) -> None:
    """The platform's own check is not the only one."""
    assert_problem(task_door.post("/", json=a_task()), 401, "unauthenticated")


# --- keys --------------------------------------------------------------------------------


def test_keys_are_asked_for_once(issuer: Issuer) -> None:
    """An hour long, known keys cost nothing."""
    issuer.published, before = ["one"], issuer.asked
    ring = KeyRing(issuer.jwks_url)
    assert all(ring.key("one", NOON + timedelta(minutes=minute)) for minute in range(0, 60, 5))
    assert issuer.asked == before + 1
    assert ring.key("one", NOON + KEYS_LIVE)
    assert issuer.asked == before + 2


def test_a_new_key_is_found_and_strangers_do_not_flood_the_issuer(issuer: Issuer) -> None:
    """An unknown key id asks again, at most every 30 seconds; so does a key that was withdrawn."""
    issuer.published, before = ["one"], issuer.asked
    ring = KeyRing(issuer.jwks_url)
    assert ring.key("two", NOON) is None
    issuer.published = ["two"]
    assert ring.key("two", NOON + timedelta(seconds=29)) is None
    assert issuer.asked == before + 1
    assert ring.key("two", NOON + ASK_AGAIN_AFTER)
    assert ring.key("one", NOON + ASK_AGAIN_AFTER) is None
    assert issuer.asked == before + 2


def test_without_keys_nothing_is_decided(worker: Worker, issuer: Issuer) -> None:
    """An issuer that does not answer is a reason to come again, not to let in or to turn away."""
    rooms = Rooms(settings=replace(SETTINGS, oidc_jwks_url="http://127.0.0.1:9/jwks"))
    door = client_of(a_task_door(rooms, worker))
    answer = door.post("/", json=a_task(), headers={"Authorization": f"Bearer {issuer.token(DOOR)}"})
    assert_problem(answer, 503, "oidc_keys_unavailable")
    with pytest.raises(KeysUnavailable):
        KeyRing("http://127.0.0.1:9/jwks").key("one", NOON)
    assert worker.given == []


def test_an_issuer_that_does_not_answer_is_not_asked_by_everyone(issuer: Issuer) -> None:
    """Requests that wait in line learn from the first one's silence; a known key needs nobody's answer."""
    issuer.published = ["one"]
    ring = KeyRing(issuer.jwks_url)
    assert ring.key("one", NOON)
    issuer.published, before = [], issuer.asked
    stale = NOON + KEYS_LIVE
    for at in (stale, stale, stale + SILENT_FOR - timedelta(seconds=1)):
        with pytest.raises(KeysUnavailable):
            ring.key("one", at)
    assert issuer.asked == before + 1
    issuer.published = ["one"]
    assert ring.key("one", stale + SILENT_FOR)
    assert issuer.asked == before + 2
