import json
from typing import Any

import pytest
from werkzeug.test import Client

from shared.calls import Call
from shared.http.api import Api
from shared.http.problems import PROBLEM_JSON
from shared.identity import TenantId
from shared.limits import BODY_BYTES
from tests.builders import ACME, NOON
from tests.unit.http.problems import assert_problem
from tests.unit.http.rooms import ACCOUNTANT, AUDITOR, STRANGER, Counter, Holder, KnownSecrets, Rooms, ThingAnswer

CANARY = "GB29NWBK60161331926819"
Headers = dict[str, str]


# --- calls -------------------------------------------------------------------------------


def test_a_writing_request_becomes_a_call(
    door: Client, counter: Counter, headers: Headers, order: dict[str, Any]
) -> None:
    """Tenant and principal come from the key, the cause from method, path, tenant and Idempotency-Key."""
    answer = door.post("/v1/customers", json=order, headers=headers)
    assert (answer.status_code, answer.get_json()) == (201, {"id": "order-1"})
    (call,) = counter.calls
    assert (call.tenant, call.principal, call.at, call.once) == (ACME, "user:ann", NOON, True)
    assert str(call.cause) == "api/POST /v1/customers/acme:key-1"
    assert len(call.request_hash) == 64
    assert "Idempotency-Replayed" not in answer.headers


def test_the_request_hash_tells_bodies_and_paths_apart(
    invoice_door: Client, door: Client, counter: Counter, headers: Headers, order: dict[str, Any]
) -> None:
    """The same bytes to the same path hash alike; another body or path does not."""
    door.post("/v1/customers", json=order, headers=headers)
    door.post("/v1/customers", json=order, headers=headers)
    door.post("/v1/customers", json=order | {"count": 3}, headers=headers)
    invoice_door.post("/v1/invoices/a/issue", json={}, headers=headers)
    invoice_door.post("/v1/invoices/b/issue", json={}, headers=headers)
    first, again, other, issue_a, issue_b = counter.calls
    assert first.request_hash == again.request_hash
    assert len({call.request_hash for call in (first, other, issue_a, issue_b)}) == 4
    assert issue_a.cause != issue_b.cause


def test_another_principal_never_gets_the_answer_to_a_key(
    door: Client, rooms: Rooms, counter: Counter, headers: Headers, order: dict[str, Any]
) -> None:
    """The same key and body from someone else is another request: nothing is shown to two on one record."""
    rooms.credentials.holders["db_acme_k3_x"] = Holder(ACME, "user:bob", "accountant")
    door.post("/v1/customers", json=order, headers=headers)
    door.post("/v1/customers", json=order, headers=headers | {"Authorization": "Bearer db_acme_k3_x"})
    anns, bobs = counter.calls
    assert anns.cause == bobs.cause
    assert not bobs.asked_before(anns.request_hash)


def test_a_request_is_the_same_again_after_its_hash_key_was_rotated(
    door: Client, rooms: Rooms, counter: Counter, headers: Headers, order: dict[str, Any]
) -> None:
    """While the older key is live, what was recorded under it is recognised."""
    door.post("/v1/customers", json=order, headers=headers)
    rooms.secrets = KnownSecrets({"request-hash": (b"new", b"secret")})
    door.post("/v1/customers", json=order, headers=headers)
    door.post("/v1/customers", json=order | {"count": 3}, headers=headers)
    before, after, other = counter.calls
    assert after.request_hash != before.request_hash
    assert after.asked_before(before.request_hash)
    assert not other.asked_before(before.request_hash)


def test_two_tenants_with_one_key_are_two_causes(
    door: Client, rooms: Rooms, counter: Counter, headers: Headers, order: dict[str, Any]
) -> None:
    """What one tenant does never carries the id of what another does."""
    rooms.credentials.holders["db_globex_k1_x"] = Holder(TenantId("globex"), "user:zoe", "owner")
    door.post("/v1/customers", json=order, headers=headers)
    door.post("/v1/customers", json=order, headers=headers | {"Authorization": "Bearer db_globex_k1_x"})
    assert len({call.cause for call in counter.calls}) == 2


def test_a_replay_is_marked(door: Client, headers: Headers, order: dict[str, Any]) -> None:
    """An answer that was given before says so, and so does a refusal: it may not be true of today."""
    for thing, status in (("again", 201), ("conflict-again", 409)):
        answer = door.post("/v1/customers", json=order | {"reference": thing}, headers=headers)
        assert (answer.status_code, answer.headers["Idempotency-Replayed"]) == (status, "true")
    fresh = door.post("/v1/customers", json=order | {"reference": "conflict"}, headers=headers)
    assert (fresh.status_code, fresh.headers.get("Idempotency-Replayed")) == (409, None)


@pytest.mark.parametrize("key", [None, "", "k" * 256, "two words", "naïve"])
def test_a_writing_post_needs_an_idempotency_key(
    door: Client, counter: Counter, headers: Headers, order: dict[str, Any], key: str | None
) -> None:
    """Without 1 to 255 visible characters nothing is called."""
    given = {name: value for name, value in (headers | {"Idempotency-Key": key}).items() if value is not None}
    answer = door.post("/v1/customers", json=order, headers=given)
    assert_problem(answer, 400, "malformed", "Idempotency-Key")
    assert counter.calls == []


def test_reading_and_calculating_need_no_idempotency_key(
    door: Client, calculator: Client, counter: Counter, headers: Headers
) -> None:
    """Nothing is written, so nothing is kept."""
    del headers["Idempotency-Key"]
    assert door.get("/v1/customers/a", headers=headers).status_code == 200
    assert calculator.post("/v1/tax/calculations", json={"id": "a"}, headers=headers).status_code == 200
    assert [call.once for call in counter.calls] == [False, False]


def test_a_route_without_a_body_takes_none_or_an_empty_one(
    invoice_door: Client, counter: Counter, headers: Headers
) -> None:
    """`{}` and nothing are the same; a field is one too many."""
    assert invoice_door.post("/v1/invoices/a/issue", headers=headers).status_code == 200
    assert invoice_door.post("/v1/invoices/a/issue", json={}, headers=headers).status_code == 200
    answer = invoice_door.post("/v1/invoices/a/issue", json={"force": True}, headers=headers)
    assert_problem(answer, 422, "invalid_fields", "force")
    assert len(counter.calls) == 2


def test_a_list_is_a_page(door: Client, headers: Headers) -> None:
    """Items are mapped one by one; the cursor leads on."""
    answer = door.get("/v1/customers?limit=1", headers=headers)
    assert answer.get_json() == {"items": [{"id": "a"}], "next_cursor": "next"}


# --- keys and roles ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", f"Basic {ACCOUNTANT}", f"Bearer {ACCOUNTANT} x", f"Bearer {STRANGER}", ACCOUNTANT],
)
def test_without_a_known_key_nothing_opens(
    door: Client, counter: Counter, headers: Headers, order: dict[str, Any], authorization: str | None
) -> None:
    """Missing, garbled and unknown keys are one and the same 401, before the body is looked at."""
    headers.pop("Authorization")
    given = headers | ({} if authorization is None else {"Authorization": authorization})
    answer = door.post("/v1/customers", json=order | {"count": CANARY}, headers=given)
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert counter.calls == []


def test_a_role_without_the_scope_is_refused(
    door: Client, counter: Counter, headers: Headers, order: dict[str, Any]
) -> None:
    """An auditor reads and does not write."""
    headers["Authorization"] = f"Bearer {AUDITOR}"
    assert_problem(door.post("/v1/customers", json=order, headers=headers), 403, "forbidden")
    assert counter.calls == []
    assert door.get("/v1/customers/a", headers=headers).status_code == 200


def test_a_route_outside_the_access_table_does_not_load(rooms: Rooms) -> None:
    """No route is served that the table does not know."""
    api = Api("customers", lambda: rooms)

    def spy(call: Call) -> str:
        return call.request_id

    with pytest.raises(LookupError, match="GET /v1/customers/secrets"):
        api.route("GET", "/v1/customers/secrets", answers=ThingAnswer)(spy)


# --- bad input ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("count", "5"),
        ("count", True),
        ("count", 2.0),
        ("count", None),
        ("on", "16.11.2026"),
        ("on", "2026-02-30"),
        ("on", 1795000000),
        ("reference", "../etc"),
        ("reference", 7),
        ("lines", {}),
        ("lines.0.quantity", 1.5),
        ("lines.0.quantity", "1e3"),
        ("lines.0.quantity", "NaN"),
        ("lines.0.price.amount", 10.5),
        ("lines.0.price.amount", "1050"),
        ("lines.0.price.amount", 10**15 + 1),
        ("lines.0.price.amount", 10**300),
        ("lines.0.price.currency", "XXX"),
        ("lines.0.price.currency", "eur"),
        ("lines.0.price.tax", 1),
        ("lines.0.description", "a\u0000b"),
        ("lines.0.description", ""),
        ("surprise", CANARY),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not_echoed(
    door: Client, headers: Headers, order: dict[str, Any], path: str, value: object
) -> None:
    """422 with the dotted path; nothing of the value comes back; nothing was called."""
    place: Any = order
    *outer, last = path.split(".")
    for part in outer:
        place = place[int(part)] if part.isdigit() else place[part]
    place[last] = value
    answer = door.post("/v1/customers", json=order, headers=headers)
    problem = assert_problem(answer, 422, "invalid_fields", path)
    assert problem["errors"][0]["field"] == path
    assert CANARY not in answer.text


def test_an_unknown_field_that_is_no_name_is_not_echoed(
    door: Client, counter: Counter, headers: Headers, order: dict[str, Any]
) -> None:
    """A key can hold personal data as well as a value can."""
    answer = door.post("/v1/customers", json=order | {f"{CANARY} of Ann": 1}, headers=headers)
    assert_problem(answer, 422, "invalid_fields", "?")
    assert CANARY not in answer.text
    assert counter.calls == []


def test_every_wrong_field_is_told_at_once(door: Client, headers: Headers) -> None:
    """The list of errors spares a second round."""
    answer = door.post("/v1/customers", json={"reference": "r", "on": "x"}, headers=headers)
    errors = {error["field"]: error["code"] for error in assert_problem(answer, 422, "invalid_fields", "on")["errors"]}
    assert errors.keys() == {"on", "count", "lines"}
    assert errors["count"] == "missing"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"amount=5",
        b'{"count": NaN}',
        b'{"count": Infinity}',
        b'{"count": 1, "count": 2}',
        b'{"lines": [{"price": {"amount": 1, "amount": 2}}]}',
        b'\xef\xbb\xbf{"count": 1}',
        '{"count": 1}'.encode("utf-16"),
        b'{"reference": "\xff"}',
        b'{"reference": "\\ud800"}',
        b"[" * 17 + b"]" * 17,
        b"[" * 100_000 + b"]" * 100_000,
        b"1" * 5_000,
        b'{"count": 01}',
    ],
)
def test_what_is_not_plain_json_is_malformed(door: Client, counter: Counter, headers: Headers, body: bytes) -> None:
    """A body that two parsers could read in two ways is read in none."""
    answer = door.post("/v1/customers", data=body, content_type="application/json", headers=headers)
    assert_problem(answer, 400, "malformed")
    assert counter.calls == []


@pytest.mark.parametrize("body", [b"null", b"5", b'"text"', b"[]"])
def test_json_that_is_no_object_is_invalid(door: Client, headers: Headers, body: bytes) -> None:
    """A body is an object."""
    answer = door.post("/v1/customers", data=body, content_type="application/json", headers=headers)
    assert_problem(answer, 422, "invalid_fields")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_media_type_is_refused(door: Client, headers: Headers, media_type: str) -> None:
    """Only what calls itself JSON is read as JSON."""
    answer = door.post("/v1/customers", data=b"{}", content_type=media_type, headers=headers)
    assert_problem(answer, 415, "unsupported_media_type", "Content-Type")


def test_a_compressed_body_is_refused(door: Client, headers: Headers) -> None:
    """A small bomb cannot grow large behind the size check."""
    answer = door.post("/v1/customers", json={}, headers=headers | {"Content-Encoding": "gzip"})
    assert_problem(answer, 415, "unsupported_media_type", "Content-Encoding")


def test_a_body_beyond_the_limit_is_too_large(door: Client, headers: Headers) -> None:
    """Announced or sent in pieces without a length, beyond the limit nothing is read."""
    body = b" " * (BODY_BYTES + 1)
    announced = door.post("/v1/customers", data=body, content_type="application/json", headers=headers)
    assert_problem(announced, 413, "too_large")
    pieces = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    in_pieces = door.post(
        "/v1/customers", data=body, content_type="application/json", headers=headers, environ_overrides=pieces
    )
    assert_problem(in_pieces, 413, "too_large")


def test_a_body_shorter_than_announced_is_malformed(door: Client, headers: Headers, order: dict[str, Any]) -> None:
    """A connection that broke is not a request."""
    body = json.dumps(order).encode()
    longer = {"CONTENT_LENGTH": str(len(body) + 1)}
    answer = door.post(
        "/v1/customers", data=body, content_type="application/json", headers=headers, environ_overrides=longer
    )
    assert_problem(answer, 400, "malformed")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("page=2", "page"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_a_wrong_query_is_named(door: Client, headers: Headers, query: str, field: str) -> None:
    """Unknown, repeated and impossible parameters are refused, never ignored."""
    assert_problem(door.get(f"/v1/customers?{query}", headers=headers), 422, "invalid_fields", field)


def test_an_id_that_cannot_exist_is_not_found(door: Client, headers: Headers) -> None:
    """A path that names nothing is 404, whether the id is well formed or not."""
    assert_problem(door.get("/v1/customers/missing", headers=headers), 404, "not_found")
    assert_problem(door.get("/v1/customers/%20", headers=headers), 404, "not_found")


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/customers/", "//v1/customers", "/v1/customers/a/b", "/"])
def test_an_unknown_path_is_not_found(door: Client, headers: Headers, path: str) -> None:
    """No redirect, no page of the framework's own."""
    assert_problem(door.get(path, headers=headers), 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_not_allowed(door: Client, headers: Headers, method: str) -> None:
    """The path exists, the method does not, and the answer says which do."""
    answer = door.open("/v1/customers", method=method, headers=headers)
    assert_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


# --- faults of the use case --------------------------------------------------------------


def test_a_refusal_carries_its_code_field_and_figures(door: Client, headers: Headers, order: dict[str, Any]) -> None:
    """What the domain refuses, the client can act on."""
    answer = door.post("/v1/customers", json=order | {"reference": "conflict"}, headers=headers)
    problem = assert_problem(answer, 409, "conflict", "reference")
    assert (problem["context"], problem["retryable"]) == ({"taken_by": "order-1"}, False)


def test_a_retryable_fault_asks_to_come_again(door: Client, headers: Headers, order: dict[str, Any]) -> None:
    """503 with Retry-After."""
    answer = door.post("/v1/customers", json=order | {"reference": "busy"}, headers=headers)
    assert assert_problem(answer, 503, "retry_later")["retryable"]
    assert int(answer.headers["Retry-After"]) > 0


def test_a_bug_tells_nothing_but_the_request_id(door: Client, headers: Headers, order: dict[str, Any]) -> None:
    """500: an exception's words may quote what was sent."""
    answer = door.post("/v1/customers", json=order | {"reference": "bug"}, headers=headers)
    assert_problem(answer, 500, "internal_error")
    assert CANARY not in answer.text


# --- documentation -----------------------------------------------------------------------


def test_the_door_documents_itself(door: Client) -> None:
    """OpenAPI 3.1 from the models, with the key, the Idempotency-Key header and problems, for anyone to read."""
    document = door.get("/v1/customers/openapi.json").get_json()
    assert document["openapi"].startswith("3.1")
    post, get = document["paths"]["/v1/customers"]["post"], document["paths"]["/v1/customers/{id}"]["get"]
    assert post["security"] == [{"api_key": []}]
    assert [one["name"] for one in post["parameters"]] == ["Idempotency-Key"]
    assert [one["name"] for one in get["parameters"]] == ["id"]
    assert post["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Order")
    assert post["responses"]["201"]["content"]["application/json"]["schema"]["$ref"].endswith("/ThingAnswer")
    assert PROBLEM_JSON in post["responses"]["422"]["content"]
    assert document["components"]["schemas"].keys() >= {"Order", "Line", "MoneyWire", "Problem"}
