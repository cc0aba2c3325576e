from typing import Any

import pytest
import structlog
from werkzeug.test import Client

from tests.unit.http.conftest import LogLines, client_of
from tests.unit.http.rooms import ACCOUNTANT, Counter, Rooms, a_door

Headers = dict[str, str]
TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_request_is_one_line(door: Client, headers: Headers, order: dict[str, Any], log_lines: LogLines) -> None:
    """Door, route as a pattern, status, who, what it cost, and the trace as Cloud Logging reads it."""
    sent = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "X-Request-Id": "client-7"}
    answer = door.post("/v1/customers", json=order, headers=headers | sent)
    (line,) = log_lines()
    assert line.pop("duration_ms") >= 0
    assert len(line.pop("logging.googleapis.com/spanId")) == 16
    assert line == {
        "severity": "INFO",
        "time": "2026-11-16T12:00:00+00:00",
        "message": "request",
        "door": "customers",
        "route": "/v1/customers",
        "method": "POST",
        "status": 201,
        "request_id": "client-7",
        "trace": TRACE,
        "tenant": "acme",
        "principal": "user:ann",
        "ops": {"reads": 0, "writes": 3, "deletes": 0, "rpcs": 0, "tasks": 0, "publishes": 0, "kms": 0},
        "replayed": False,
        "refused": None,
        "logging.googleapis.com/trace": f"projects/daybook-test/traces/{TRACE}",
        "logging.googleapis.com/trace_sampled": True,
    }
    assert answer.headers["X-Request-Id"] == "client-7"


def test_each_request_counts_its_own_cost(
    door: Client, headers: Headers, order: dict[str, Any], log_lines: LogLines
) -> None:
    """A count never runs over into the next line."""
    for _ in range(2):
        door.post("/v1/customers", json=order, headers=headers)
    assert [line["ops"]["writes"] for line in log_lines()] == [3, 3]


@pytest.mark.parametrize("reference", ["order-1", "again", "conflict", "busy", "bug", "in valid"])
def test_no_line_holds_what_was_sent(
    door: Client, headers: Headers, order: dict[str, Any], log_lines: LogLines, reference: str
) -> None:
    """Not the body, not the path's values, not the key, whatever becomes of the request."""
    order["lines"][0]["description"] = "Ann Example"
    door.post("/v1/customers", json=order | {"reference": reference}, headers=headers)
    door.get("/v1/customers/GB29NWBK60161331926819", headers=headers)
    text = str(log_lines())
    for secret in ("Ann", "GB29NWBK60161331926819", ACCOUNTANT, "key-1"):
        assert secret not in text


@pytest.mark.parametrize(
    ("reference", "severity", "refused"),
    [("conflict", "INFO", "conflict"), ("busy", "WARNING", None), ("bug", "ERROR", None), ("again", "INFO", None)],
)
def test_a_line_is_as_severe_as_what_happened(  # noqa: PLR0913, PLR0917 - a table and what it is held against
    door: Client,
    headers: Headers,
    order: dict[str, Any],
    log_lines: LogLines,
    reference: str,
    severity: str,
    refused: str | None,
) -> None:
    """A refusal is business, a retry a warning, a bug an error."""
    door.post("/v1/customers", json=order | {"reference": reference}, headers=headers)
    (line,) = log_lines()
    assert (line["severity"], line["refused"], line["replayed"]) == (severity, refused, reference == "again")


def test_lines_written_while_serving_carry_the_trace(door: Client, headers: Headers, log_lines: LogLines) -> None:
    """What the outbox says during a request is found with it."""
    door.get("/v1/customers/a", headers=headers | {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    structlog.get_logger("outbox").info("outbox_rows_left", rows=2)
    line = log_lines()[-1]
    assert (line["message"], line["rows"], line["severity"]) == ("outbox_rows_left", 2, "INFO")
    assert line["logging.googleapis.com/trace"].endswith(TRACE)


def test_the_line_is_written_for_requests_that_lead_nowhere(door: Client, log_lines: LogLines) -> None:
    """No route, no tenant, still a line, without the path that was asked for."""
    door.get("/v1/customers/x/Ann")
    (line,) = log_lines()
    assert (line["status"], line["route"], line["tenant"], line["refused"]) == (404, None, None, "not_found")
    assert "Ann" not in str(line)


def test_a_key_that_fails_leaves_no_name_in_the_line(rooms: Rooms, counter: Counter, log_lines: LogLines) -> None:
    """Who asks is only known once the key is."""
    client_of(a_door(rooms, counter).serve).get("/v1/customers/a", headers={"Authorization": "Bearer nonsense"})
    (line,) = log_lines()
    assert (line["status"], line["tenant"], line["principal"]) == (401, None, None)
    assert "nonsense" not in str(line)
