from datetime import timedelta

import jwt
import pytest

from tests.emulator.services.doors import Door
from tests.emulator.services.rig import Services, TasksBench

CALLER = "daybook-tasks@test.iam.gserviceaccount.com"


def _claims(services: Services, token: str, audience: str) -> dict[str, object]:
    """The token's claims, verified by the published keys; expiry is compared by the caller, by the settable clock."""
    keys = jwt.PyJWKSet.from_dict(services.ask("/jwks"))
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, object] = jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        audience=audience,
        issuer=services.url,
        options={"verify_exp": False, "verify_iat": False, "require": ["iss", "aud", "sub", "email", "iat", "exp"]},
    )
    return claims


def _bearer(headers: dict[str, str]) -> str:
    scheme, _, token = headers["Authorization"].partition(" ")
    assert scheme == "Bearer"
    return token


def test_a_task_carries_a_token_that_the_published_keys_verify(services: Services, bench: TasksBench) -> None:
    """Issuer, caller and one hour of life by the settable clock; the audience is the url unless one is given."""
    bench.open()
    services.advance(hours=1)
    bench.create("plain", http_request={"oidc_token": {"service_account_email": CALLER}})
    claims = _claims(services, _bearer(bench.door.wait_for(1)[0].headers), bench.door.url)
    now = int(services.clock.now().timestamp())
    assert (claims["email"], claims["email_verified"]) == (CALLER, True)
    assert isinstance(claims["iat"], int)
    assert now - 60 < claims["iat"] <= now
    assert claims["exp"] == claims["iat"] + 3600


def test_a_given_audience_is_kept_and_a_given_authorization_is_not(services: Services, bench: TasksBench) -> None:
    """The token replaces whatever the task's own headers claimed."""
    bench.open()
    token = {"service_account_email": CALLER, "audience": "https://doors.example/apply"}
    bench.create(http_request={"oidc_token": token, "headers": {"authorization": "Bearer forged"}})
    _claims(services, _bearer(bench.door.wait_for(1)[0].headers), "https://doors.example/apply")


def test_a_task_without_a_token_keeps_its_own_authorization(bench: TasksBench) -> None:
    """Headers pass through when the cloud has none to put in their place."""
    bench.open()
    bench.create(http_request={"headers": {"Authorization": "Basic abc"}})
    assert bench.door.wait_for(1)[0].headers["Authorization"] == "Basic abc"


def test_tokens_grow_old_with_the_settable_clock(services: Services) -> None:
    """After a jump the next token is a new one, an hour from the new now."""
    asked = {"email": CALLER, "audience": "https://doors.example"}
    first = _claims(services, services.ask("/admin/token", asked)["token"], asked["audience"])
    services.advance(hours=2)
    second = _claims(services, services.ask("/admin/token", asked)["token"], asked["audience"])
    assert isinstance(first["exp"], int)
    assert isinstance(second["iat"], int)
    assert second["iat"] > first["exp"]


def test_the_discovery_document_names_issuer_and_keys(services: Services) -> None:
    """What a verifier looks up is where it says."""
    document = services.ask("/.well-known/openid-configuration")
    assert (document["issuer"], document["jwks_uri"]) == (services.url, f"{services.url}/jwks")


@pytest.mark.parametrize("status", [200, 204, 400, 503])
def test_the_relay_adds_a_token_and_gives_the_doors_status_back(services: Services, door: Door, status: int) -> None:
    """A push goes on unchanged, as the events' caller, and acknowledgement stays the door's decision."""
    door.answers(status)
    name = door.url.rpartition("/")[2]
    body = b'{"message": {"data": "e30="}, "subscription": "s"}'
    answered, _ = services.post(f"/push/{name}/projects/daybook-local/topics/payments", body)
    hit = door.hits[0]
    claims = _claims(services, _bearer(hit.headers), door.url)
    assert (answered, hit.body, hit.headers["Content-Type"]) == (status, body, "application/json")
    assert claims["email"] == "daybook-events@daybook-local.iam.gserviceaccount.com"


def test_a_push_under_way_is_not_idle(services: Services, door: Door, bench: TasksBench) -> None:
    """While a door works on a task, the cloud says so."""
    bench.open()
    door.open.clear()
    bench.create()
    door.wait_for(1)
    assert services.ask("/admin/idle")["idle"] is False
    door.open.set()
    assert services.wait_until_idle()["next_due_at"] is None
    assert services.clock.offset() >= timedelta()
