"""Every operation that docs/openapi.json describes, asked by schemathesis: what is answered is what is described.

Its cases come from the description alone, the same in every run: values at their limits, other types, what is missing
or too much, other methods, and a few at random. Half of those that the description allows are made plausible, with ids
of things that are there, so that answers are judged too and not refusals alone.
"""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, Response
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig

from infra.openapi import DOCUMENT
from tests.emulator.doors.bodies import GOOD, NOBODY
from tests.emulator.doors.conftest import Client, a_key
from tests.emulator.openapi.conftest import Office

SECONDS: Final = 30
EXAMPLES: Final = 6
"""Random ones an operation, beside those at the limits."""

PLAUSIBLE: Final[Mapping[str, str]] = {
    "currency": "GBP",
    "country": "GB",
    "account": "assets:bank",
    "code": "assets:till",
    "quantity": "1",
    "reason": "a reason",
    "url": "https://erp.example.com/",
    "principal": "user:ann",
    "period": "2026-11",
    "pay_date": "2026-11-27",
    "tax_code": "1257L",
    "tenant": "another",
}
"""What stands under a name where the description allows any text, and the rules behind it few."""

SHADOWED: Final = {"/v1/ledger/accounts/apply_template", "/v1/ledger/entries/dry_run"}
"""Paths that the pattern of another operation fits too: a GET of them is that operation's, and `Allow` says so."""

OF_METHODS: Final = {"unsupported_method", "allow_header_conformance"}

JUDGED: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
"""Not `positive_data_acceptance`: fields have rules that a schema cannot say, and are refused with their names."""

QUERIES: Final[Mapping[str, Mapping[str, str]]] = {
    "/v1/api_keys": {"tenant": "orderly"},
    "/v1/invoices/receivables_by_age": {"on": "2026-11-30"},
    "/v1/ledger/accounts/{code}/statement": {"from": "2026-01-01", "to": "2026-12-31"},
    "/v1/ledger/reports/balance_sheet": {"through": "2026-12"},
    "/v1/ledger/reports/income_statement": {"first": "2026-01", "through": "2026-12"},
    "/v1/ledger/reports/trial_balance": {"through": "2026-12"},
}
"""What an operation must be told to answer."""

NEEDING_MORE: Final = {
    ("GET", "/v1/ledger/entries/{id}/inclusion"),  # a seal; queues and jobs stand still here
    ("GET", "/v1/ledger/seals/{number}"),
    ("GET", "/v1/ledger/seals/{number}/leaves"),
    ("GET", "/v1/webhook_endpoints/{id}/deliveries/{delivery}"),  # a delivery, or its resending
    ("GET", "/v1/webhook_endpoints/{id}/resends/{resend}"),
    ("POST", "/v1/webhook_endpoints/{id}/deliveries/{delivery}/resend"),
    ("POST", "/v1/payroll_runs/{id}/approve"),  # what is calculated, or posted, or given a memo before
    ("POST", "/v1/ledger/entries/{id}/disclosures"),
    ("POST", "/v1/ledger/accounts/{code}/close"),  # an account without a balance
    ("POST", "/v1/ledger/years/{year}/close"),  # months that are closed
    ("POST", "/v1/payments/events/{id}/replay"),  # an event that can be read
    ("POST", "/v1/refunds/{id}/resolve"),  # a partner that was silent for most of a day
}
"""Operations that refuse here, by what is missing; the refusal is judged too."""

_WRONG: Final[dict[str, Any]] = {"body": {"x": 1}, "media_type": "application/json"}
_DESCRIBED: Final = json.loads(DOCUMENT.read_text(encoding="utf-8"))
_CONFIG: Final = SchemathesisConfig.from_dict(
    {
        "generation": {
            "deterministic": True,
            "max-examples": EXAMPLES,
            "with-security-parameters": False,
            "database": "none",
        }
    }
)
schema: Final = schemathesis.openapi.from_dict(_DESCRIBED, config=_CONFIG)
OPERATIONS: Final = [
    (method.upper(), rule)
    for rule, methods in _DESCRIBED["paths"].items()
    for method in methods
    if method != "parameters"
]


@schema.parametrize()
@settings(suppress_health_check=list(HealthCheck))
def test_what_is_answered_is_what_is_described(case: Case[Any], office: Office) -> None:
    """No error of ours, no status, media type, header or body that the document does not know, nothing bad let in."""
    client = office.client(case.operation.method, case.operation.path)
    if allowed(case) and crc32(repr((case.body, case.query)).encode()) % 2:
        make_plausible(case, office)
    judge(case, client)


def test_good_requests_are_answered_as_described(orderly: Office) -> None:
    """Those that succeed, of every operation that can without another's work: their bodies are the described ones."""
    succeeded = set()
    for method, rule in OPERATIONS:
        operation = schema[rule][method]
        names = re.findall(r"\{([a-z_]+)\}", rule)
        case = operation.Case(
            method=method,
            path_parameters={name: orderly.named(rule, name) for name in names},
            headers={"Idempotency-Key": a_key()} if method == "POST" else {},
            query=dict(QUERIES.get(rule, {})) if method == "GET" else {},
            **body_for(method, rule, orderly),
        )
        if judge(case, orderly.client(method, rule)) < 300:
            succeeded.add((method, rule))
    assert {one for one in OPERATIONS if one not in succeeded} == NEEDING_MORE


@pytest.mark.parametrize("given", ["", "Bearer nonsense", f"Bearer db_fuzzed_{NOBODY}_{'b' * 32}"])
def test_without_a_key_every_operation_says_so_and_nothing_else(office: Office, given: str) -> None:
    """As described: 401 before anything is read, whatever stands in body and path."""
    for method, rule in OPERATIONS:
        operation = schema[rule][method]
        names = re.findall(r"\{([a-z_]+)\}", rule)
        case = operation.Case(
            method=method,
            path_parameters=dict.fromkeys(names, "x"),
            headers={"Idempotency-Key": a_key()},
            **_WRONG if method == "POST" else {},
        )
        answer = case.call(
            base_url=office.client(method, rule).url, headers={"Authorization": given} if given else {}, timeout=SECONDS
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), (method, rule)
        case.validate_response(answer, checks=named(JUDGED[1:5]))


def judge(case: Case[Any], client: Client) -> int:
    """Ask, and have the answer judged; the status."""
    headers = {"Authorization": f"Bearer {client.key}"}
    answer = case.call(base_url=client.url, headers=headers, timeout=SECONDS)
    if before_any_door(answer):
        return int(answer.status_code)
    judged = [name for name in JUDGED if name not in OF_METHODS or case.operation.path not in SHADOWED]
    case.validate_response(answer, checks=named(judged), headers=headers, transport_kwargs={"timeout": SECONDS})
    return int(answer.status_code)


def named(names: Sequence[str]) -> list[Any]:
    """Schemathesis's checks by their names."""
    return list(CHECKS.get_by_names(names))


def before_any_door(answer: Response) -> bool:
    """Whether the web server answered by itself: a request line beyond its limit, or a path with a line break.

    functions-framework routes by a pattern that a line break does not fit.
    """
    if answer.status_code == HTTPStatus.REQUEST_URI_TOO_LONG:
        return "Request Line is too large" in answer.text
    return answer.status_code == HTTPStatus.NOT_FOUND and "%0A" in str(answer.request.url)


def allowed(case: Case[Any]) -> bool:
    """Whether the description allows a case."""
    return case.meta is not None and case.meta.generation.mode.is_positive


def make_plausible(case: Case[Any], office: Office) -> None:
    """Give a case ids of what is there, and texts that the rules behind the description let through."""
    case.body = plausible(case.body)
    for name in case.path_parameters or {}:
        case.path_parameters[name] = office.named(case.operation.path, name)
    case.headers["Idempotency-Key"] = a_key()


def plausible(value: Any) -> Any:
    """The same JSON with a text under each name that we know one for."""
    if isinstance(value, dict):
        return {
            name: PLAUSIBLE[name] if name in PLAUSIBLE and isinstance(inner, str) else plausible(inner)
            for name, inner in value.items()
        }
    return [plausible(inner) for inner in value] if isinstance(value, list) else value


def body_for(method: str, rule: str, office: Office) -> dict[str, Any]:
    """The good body of a POST, with the ids of what is there."""
    if method != "POST":
        return {}
    fitting = [good for path, good in GOOD.items() if re.fullmatch(re.sub(r"\{[a-z_]+\}", "[^/]+", rule), path)]
    body = json.loads(json.dumps(fitting[0]) if fitting else "{}")
    body |= office.bodies.get(rule, {})
    return {"body": body, "media_type": "application/json"}
