"""Bad input to every door: a problem document with the right status, and no trace of a write.

Every case is sent to the running local cloud. All documents of both databases are compared before
and after, and the request's own log line must count no write, task, publish or delete.
"""

import dataclasses
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests

from emulators.cloud import LocalCloud
from shared.http.access import CALLERS, ROUTES
from shared.limits import BODY_BYTES, TASK_BYTES, WEBHOOK_BYTES
from tests.emulator.doors.conftest import Client, Tenant, a_key, everything, log_line

NOBODY = "a" * 52
"""A well-formed id of nothing."""

GOOD: Mapping[str, Mapping[str, Any]] = {
    "/v1/tenants": {
        "tenant": "third",
        "legal_name": "Third Ltd",
        "country": "GB",
        "currency": "GBP",
        "owner": "user:olga",
    },
    "/v1/api_keys": {"principal": "user:ann", "role": "auditor"},
    "/v1/customers": {"reference": "C-9", "name": "Jo", "country": "DE", "kind": "consumer", "currency": "EUR"},
    "/v1/invoices": {
        "customer_id": NOBODY,
        "currency": "EUR",
        "supply": "service",
        "lines": [{"description": "Work", "quantity": "1.5", "unit_price": 100}],
    },
    "/v1/tax/calculations": {
        "seller": {"country": "GB", "registrations": {"GB": "GB980780684"}},
        "buyer": {"country": "GB", "kind": "consumer"},
        "supply": "service",
        "date": "2026-11-16",
        "currency": "GBP",
        "lines": [{"quantity": "1", "unit_price": 100, "category": "standard"}],
        "prices_include_tax": False,
    },
    "/v1/employees": {
        "reference": "E-9",
        "name": "Jo",
        "bank_account": "GB33BUKB20201555555555",
        "tax_id": "QQ123456C",
        "tax_code": "1257L",
        "ni_category": "A",
        "annual_salary": {"amount": 3_000_000, "currency": "GBP"},
    },
    "/v1/payroll_runs": {"period": "2026-11", "pay_date": "2026-11-27"},
    "/v1/ledger/accounts": {"code": "assets:petty_cash", "type": "asset", "name": "Petty cash"},
    "/v1/ledger/entries": {
        "lines": [
            {"account": "assets:bank", "side": "debit", "amount": {"amount": 100, "currency": "GBP"}},
            {"account": "equity:share_capital", "side": "credit", "amount": {"amount": 100, "currency": "GBP"}},
        ]
    },
    "/v1/ledger/periods/2026-10/close": {"kind": "soft"},
    "/v1/ledger/accounts/assets:bank/freeze": {"reason": "inquiry"},
    "/v1/ledger/accounts/assets:bank/unfreeze": {"reason": "over"},
    f"/v1/employees/{NOBODY}/disclosures": {"fields": ["name"], "purpose": "support"},
    f"/v1/customers/{NOBODY}/disclosures": {"fields": ["name"], "purpose": "support"},
}
"""A good body for every POST that takes one; each bad case breaks one thing of it."""

WITHOUT_BODY = (
    f"/v1/invoices/{NOBODY}/issue",
    f"/v1/payroll_runs/{NOBODY}/approve",
    f"/v1/api_keys/{NOBODY}/revoke",
)


@dataclass(frozen=True)
class Case:
    """One bad request and what it must be answered."""

    name: str
    path: str
    body: bytes
    status: int
    code: str | None = None
    field: str | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


def client_for(acme: Tenant, path: str) -> Client:
    """The holder of a key who may call a path."""
    if path.startswith("/v1/tenants"):
        return acme.platform
    return acme.owner


def changed(path: str, **fields: object) -> bytes:
    """The good body with some fields replaced."""
    return json.dumps({**GOOD[path], **fields}).encode()


def every_post() -> Iterator[Case]:
    """What every POST refuses, whatever it is about."""
    for path, good in GOOD.items():
        text = json.dumps(good).encode()
        needs_key = path != "/v1/tax/calculations"
        yield Case("not JSON", path, b"{", 400, "malformed")
        yield Case("an array", path, b"[]", 422, "invalid_fields")
        yield Case("nothing", path, b"", 400)
        yield Case("duplicate key", path, text[:-1] + b',"x":1,"x":2}', 400, "malformed")
        yield Case("NaN", path, text[:-1] + b',"x":NaN}', 400, "malformed")
        yield Case("not UTF-8", path, b'{"x": "\xff"}', 400, "malformed")
        yield Case("deeply nested", path, b"[" * 5_000 + b"]" * 5_000, 400, "malformed")
        yield Case("unknown field", path, changed(path, surprise=1), 422, "invalid_fields", "surprise")
        yield Case("wrong media type", path, text, 415, headers={"Content-Type": "text/plain"})
        yield Case("too large", path, b" " * (BODY_BYTES + 1) + text, 413, "too_large")
        yield Case("no key", path, text, 401, "unauthenticated", headers={"Authorization": ""})
        forged = f"Bearer db_acme_{NOBODY}_{'b' * 32}"
        yield Case("forged key", path, text, 401, "unauthenticated", headers={"Authorization": forged})
        if needs_key:
            yield Case("no Idempotency-Key", path, text, 400, headers={"Idempotency-Key": ""})
            yield Case("endless Idempotency-Key", path, text, 400, headers={"Idempotency-Key": "k" * 256})
        for name in good:
            yield Case(f"{name} of a wrong type", path, changed(path, **{name: 1.5}), 422, "invalid_fields", name)
            yield Case(f"{name} null", path, changed(path, **{name: [None]}), 422, "invalid_fields")
    for path in WITHOUT_BODY:
        yield Case("unknown field", path, b'{"surprise": 1}', 422, "invalid_fields", "surprise")
        yield Case("an id of nothing", path, b"{}", 404)


def particular() -> Iterator[Case]:
    """What only one door refuses."""
    entries, invoices, employees = "/v1/ledger/entries", "/v1/invoices", "/v1/employees"

    def lines(**amount: object) -> list[dict[str, object]]:
        asked = {"amount": 100, "currency": "GBP", **amount}
        debit: dict[str, object] = {"account": "assets:bank", "side": "debit", "amount": asked}
        credit_side = {"account": "equity:share_capital", "side": "credit"}
        return [debit, {**credit_side, "amount": {"amount": 100, "currency": "GBP"}}]

    yield Case("a float amount", entries, changed(entries, lines=lines(amount=100.0)), 422, "invalid_fields")
    yield Case("an amount as text", entries, changed(entries, lines=lines(amount="100")), 422, "invalid_fields")
    yield Case("an endless amount", entries, changed(entries, lines=lines(amount=10**30)), 422, "invalid_fields")
    yield Case("no such currency", entries, changed(entries, lines=lines(currency="XYZ")), 422, "invalid_fields")
    yield Case("off balance", entries, changed(entries, lines=lines(amount=101)), 422, "unbalanced_entry", "lines")
    yield Case("a negative line", entries, changed(entries, lines=lines(amount=-100)), 422)
    yield Case("one line", entries, changed(entries, lines=lines()[:1]), 422, "invalid_fields")
    yield Case("too many lines", entries, changed(entries, lines=lines() * 200), 422, "invalid_fields")
    yield Case("no such customer", invoices, changed(invoices), 422, "unknown_customer", "customer_id")
    zero = [{"description": "x", "quantity": "0", "unit_price": 1}]
    yield Case("no quantity", invoices, changed(invoices, lines=zero), 422, "invalid_fields")
    number = [{"description": "x", "quantity": 1.5, "unit_price": 1}]
    yield Case("a quantity as a number", invoices, changed(invoices, lines=number), 422, "invalid_fields")
    yield Case("no tax code", employees, changed(employees, tax_code="banana"), 422, "invalid_fields", "tax_code")
    euros = {"amount": 1, "currency": "EUR"}
    yield Case("a salary in euro", employees, changed(employees, annual_salary=euros), 422, "invalid")
    runs = "/v1/payroll_runs"
    yield Case("pay day elsewhere", runs, changed(runs, pay_date="2026-12-01"), 422, "invalid", "pay_date")
    yield Case("a 13th month", runs, changed(runs, period="2026-13"), 422, "invalid_fields", "period")
    yield Case("nobody to pay", runs, changed(runs), 422, "nobody_to_pay")
    keys = "/v1/api_keys"
    yield Case("the platform's role", keys, changed(keys, role="platform"), 422, "invalid_fields", "role")
    yield Case("another tenant's key", keys, changed(keys, tenant="rival"), 403)
    close = "/v1/ledger/periods/2026-99/close"
    yield Case("no such month", close, b'{"kind":"soft"}', 422, "invalid_fields", "period")
    yield Case("no such account", "/v1/ledger/accounts/assets:none/freeze", b'{"reason":"x"}', 422, "unknown_account")
    tax = "/v1/tax/calculations"
    yield Case("no rates", tax, changed(tax, buyer={"country": "US", "kind": "consumer"}), 422)
    yield Case("before the rates", tax, changed(tax, date="1980-01-01"), 422, "not_supported")


def label(case: Case) -> str:
    """How a case is called in a test's name."""
    return f"{case.path.replace(NOBODY, '{id}')}: {case.name}"


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
