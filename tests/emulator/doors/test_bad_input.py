"""Bad input to every door: a problem document with the right status, and no trace of a write.

Every case is sent to the running local cloud. All documents of both databases are compared before
and after, and the request's own log line must count no write, task, publish or delete.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
import requests

from emulators.cloud import LocalCloud
from shared.http.access import CALLERS, ROUTES
from shared.limits import TASK_BYTES, WEBHOOK_BYTES
from tests.emulator.doors.bodies import GOOD, NOBODY, WITHOUT_BODY, Case
from tests.emulator.doors.cases import every_post, label, particular
from tests.emulator.doors.conftest import Client, Tenant, a_key, everything, log_line


def client_for(acme: Tenant, path: str) -> Client:
    """The holder of a key who may call a path."""
    if path.startswith("/v1/tenants"):
        return acme.platform
    return acme.owner


@pytest.fixture(scope="module")
def before(cloud: LocalCloud, acme: Tenant, rival: Tenant) -> dict[str, Any]:
    """Everything that is stored before any bad request."""
    del acme, rival
    return everything(cloud)


def assert_nothing_written(cloud: LocalCloud, before: Mapping[str, Any], answer: requests.Response) -> None:
    """The stores are as they were, and the request's own count says so too."""
    assert everything(cloud) == before
    spent = log_line(cloud, answer.headers["X-Request-Id"])["ops"]
    assert {name: spent[name] for name in ("writes", "deletes", "tasks", "publishes")} == dict.fromkeys(
        ("writes", "deletes", "tasks", "publishes"), 0
    )


def assert_problem(answer: requests.Response, case: Case) -> None:
    """A problem document (RFC 9457) with the status, code and field that the case says."""
    assert answer.status_code == case.status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code", "field", "request_id", "retryable"} <= problem.keys()
    assert problem["retryable"] is False
    if case.code:
        assert problem["code"] == case.code, answer.text
    if case.field:
        assert problem["field"].split(".")[0] == case.field


@pytest.mark.parametrize("case", [*every_post(), *particular()], ids=label)
def test_a_bad_post_is_a_problem_and_writes_nothing(
    cloud: LocalCloud, acme: Tenant, before: dict[str, Any], case: Case
) -> None:
    """Each bad request names its fault and leaves both databases as they were."""
    headers = {"Idempotency-Key": a_key(), **case.headers}
    answer = client_for(acme, case.path).send("POST", case.path, case.body, headers)
    assert_problem(answer, case)
    assert_nothing_written(cloud, before, answer)


def test_every_writing_route_has_its_bad_cases() -> None:
    """A POST that is added to the access table needs a body here."""
    import re  # noqa: PLC0415 - this test alone matches

    ours = {*GOOD, *WITHOUT_BODY}

    def covered(rule: str) -> bool:
        pattern = re.sub(r"\{[a-z_]+\}", "[^/]+", rule)
        return any(re.fullmatch(pattern, path) for path in ours)

    assert [rule for method, rule in ROUTES if method == "POST" and not covered(rule)] == []


@pytest.mark.parametrize(("method", "rule"), list(ROUTES), ids=str)
def test_every_route_wants_a_key_whose_role_carries_it(
    cloud: LocalCloud, acme: Tenant, before: dict[str, Any], method: str, rule: str
) -> None:
    """Without a key 401; with a role that lacks the scope 403: checked on every route."""
    path = rule.replace("{id}", NOBODY).replace("{code}", "assets:bank").replace("{period}", "2026-10")
    path = path.replace("{year}", "2025")
    headers = {"Idempotency-Key": a_key()}
    body = b"{}" if method == "POST" else b""
    stranger = Client(cloud.doors_url, "")
    no_key = stranger.send(method, path, body, {**headers, "Authorization": ""})
    assert_problem(no_key, Case("", path, b"", 401, "unauthenticated"))
    lacking = acme.owner if rule.startswith("/v1/tenants") else acme.platform
    if rule.startswith("/v1/api_keys"):
        lacking = acme.accountant
    wrong_role = lacking.send(method, path, body, headers)
    assert_problem(wrong_role, Case("", path, b"", 403, "forbidden"))
    assert everything(cloud) == before


# --- webhooks ----------------------------------------------------------------------------


def signed(cloud: LocalCloud, secret: str, body: bytes, *, seconds: int = 0) -> dict[str, str]:
    """Stripe's signature, made so many seconds from the cloud's now."""
    at = int((cloud.clock.now() + timedelta(seconds=seconds)).timestamp())
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={digest}", "Authorization": ""}


EVENT = json.dumps({"id": "evt_bad", "type": "ping", "created": 1, "data": {"object": {}}}).encode()


def bad_webhooks(cloud: LocalCloud, secret: str) -> Iterator[tuple[Case, dict[str, str]]]:
    """Everything that a webhook door must not take in."""
    path = "/v1/webhooks/acme/stripe"
    good = signed(cloud, secret, EVENT)
    yield Case("no signature", path, EVENT, 401, "bad_signature"), {}
    yield Case("garbled signature", path, EVENT, 401, "bad_signature"), {"Stripe-Signature": "t=x,v1="}
    yield Case("wrong secret", path, EVENT, 401, "bad_signature"), signed(cloud, "whsec_other", EVENT)
    yield Case("altered body", path, EVENT + b" ", 401, "bad_signature"), good
    yield Case("stale", path, EVENT, 401, "outside_replay_window"), signed(cloud, secret, EVENT, seconds=-400)
    yield Case("future", path, EVENT, 401, "outside_replay_window"), signed(cloud, secret, EVENT, seconds=400)
    yield Case("another tenant", "/v1/webhooks/rival/stripe", EVENT, 401, "bad_signature"), good
    yield Case("unknown tenant", "/v1/webhooks/nobody/stripe", EVENT, 404, "unknown_partner"), good
    yield Case("unknown partner", "/v1/webhooks/acme/paypal", EVENT, 404, "unknown_partner"), good
    yield Case("no such path", "/v1/webhooks/acme/stripe/x", EVENT, 404), good
    yield Case("too large", path, b" " * (WEBHOOK_BYTES + 1), 413, "too_large"), good


def test_a_bad_webhook_is_a_problem_and_writes_nothing(cloud: LocalCloud, acme: Tenant, before: dict[str, Any]) -> None:
    """Forged, stale, future, misdirected or oversized: refused before anything is stored."""
    secret = cloud.make_webhook_secret("acme")
    partner = Client(cloud.doors_url, "")
    del acme
    for case, headers in bad_webhooks(cloud, secret):
        answer = partner.send("POST", case.path, case.body, {"Authorization": "", **headers})
        assert_problem(answer, case)
        assert_nothing_written(cloud, before, answer)


# --- private doors -----------------------------------------------------------------------


def a_token(cloud: LocalCloud, audience: str, caller: str) -> str:
    """A token signed by the local issuer."""
    email = f"{caller}@{cloud.settings().callers_domain}"
    answer = requests.post(f"{cloud.services_url}/admin/token", json={"audience": audience, "email": email}, timeout=10)
    token: str = answer.json()["token"]
    return token


@pytest.mark.parametrize("door", sorted(CALLERS))
def test_a_private_door_opens_only_to_its_caller(
    cloud: LocalCloud, acme: Tenant, before: dict[str, Any], door: str
) -> None:
    """No token, another door's audience, another account, a garbled token, an API key: none comes in."""
    url, caller = f"{cloud.doors_url}/{door}", f"daybook-{CALLERS[door][0]}"
    other_caller = "daybook-events" if caller != "daybook-events" else "daybook-tasks"
    bearers = {
        "no token": "",
        "garbled": "Bearer x.y.z",
        "an API key": f"Bearer {acme.owner.key}",
        "wrong audience": f"Bearer {a_token(cloud, f'{cloud.doors_url}/other', caller)}",
        "wrong caller": f"Bearer {a_token(cloud, url, other_caller)}",
        "a stranger": f"Bearer {a_token(cloud, url, 'stranger')}",
    }
    for name, bearer in bearers.items():
        headers = {"Authorization": bearer} if bearer else {}
        answer = requests.post(url, json={}, headers=headers, timeout=30)
        assert answer.status_code in {401, 403}, name
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert everything(cloud) == before


@pytest.mark.parametrize("door", sorted(door for door, callers in CALLERS.items() if callers != ("scheduler",)))
def test_a_private_door_refuses_what_it_cannot_read(cloud: LocalCloud, before: dict[str, Any], door: str) -> None:
    """The right caller with the wrong bytes: a problem, so that the queue shows it, and no write."""
    url, caller = f"{cloud.doors_url}/{door}", f"daybook-{CALLERS[door][0]}"
    headers = {"Authorization": f"Bearer {a_token(cloud, url, caller)}", "Content-Type": "application/json"}
    unknown = json.dumps({"id": NOBODY, "tenant": "acme", "body": {"surprise": 1}}).encode()
    bad_tenant = json.dumps({"id": NOBODY, "tenant": "../x", "body": {}}).encode()
    for body, statuses in (
        (b"{", {400}),
        (b"[]", {400, 422}),
        (unknown, {400, 422}),
        (bad_tenant, {400, 422}),
        (b" " * (3 * TASK_BYTES), {413}),
    ):
        answer = requests.post(url, data=body, headers=headers, timeout=30)
        assert answer.status_code in statuses, (body[:60], answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert everything(cloud) == before


# --- other tenants -----------------------------------------------------------------------


def test_another_tenants_ids_are_nothing(cloud: LocalCloud, acme: Tenant, rival: Tenant) -> None:
    """Objects of one tenant cannot be read, used or moved with another's key."""
    customer = acme.accountant.post("/v1/customers", GOOD["/v1/customers"]).json()["id"]
    body = {**GOOD["/v1/invoices"], "customer_id": customer}
    invoice = acme.accountant.post("/v1/invoices", body).json()["id"]
    employee = acme.payroll_preparer.post("/v1/employees", GOOD["/v1/employees"]).json()["id"]
    stored = everything(cloud)
    assert rival.owner.get(f"/v1/customers/{customer}").status_code == 404
    assert rival.owner.get(f"/v1/invoices/{invoice}").status_code == 404
    assert rival.owner.get(f"/v1/employees/{employee}").status_code == 404
    assert rival.owner.post(f"/v1/invoices/{invoice}/issue", {}).status_code == 404
    assert rival.owner.post("/v1/invoices", body).json()["code"] == "unknown_customer"
    order = {"fields": ["name"], "purpose": "support"}
    assert rival.owner.post(f"/v1/employees/{employee}/disclosures", order).status_code == 404
    assert rival.owner.get("/v1/employees").json()["items"] == []
    assert everything(cloud) == stored
