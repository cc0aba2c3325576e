import base64
from typing import Any

import pytest
from werkzeug.test import Client

from shared.events import Announcement
from shared.http.private import Tick
from shared.limits import TASK_BYTES
from tests.builders import ACME, NOON
from tests.unit.http.conftest import LogLines, client_of
from tests.unit.http.issuer import Issuer
from tests.unit.http.private_doors import (
    BUSY,
    REFUSED,
    Chunk,
    Worker,
    a_listening_door,
    a_push,
    a_task,
    an_announcement,
)
from tests.unit.http.problems import assert_problem
from tests.unit.http.rooms import Rooms

Headers = dict[str, str]
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_task_becomes_a_call_of_the_system(task_door: Client, worker: Worker, tasks_token: Headers) -> None:
    """The cause is the message's own id, so that a redelivery is the same happening; the trace goes on."""
    answer = task_door.post("/calculate_payslips", json=a_task(), headers=tasks_token | {"traceparent": PARENT})
    assert (answer.status_code, answer.get_json()) == (200, {"done": True, "replayed": False})
    (call,) = worker.calls
    assert worker.given == [Chunk(run="run-1", chunk=3)]
    assert (call.tenant, call.principal, call.at, call.once) == (ACME, "system:calculate_payslips", NOON, False)
    assert str(call.cause) == "system/calculate_payslips/message-1"
    assert call.traceparent.split("-")[1] == PARENT.split("-")[1]


def test_a_task_sent_again_by_the_sweep_is_the_same_request(
    task_door: Client, worker: Worker, tasks_token: Headers
) -> None:
    """A row read back has its fields in another order; what it asks for is the same."""
    orders = (
        '{"id":"m","tenant":"acme","body":{"run":"r","chunk":3}}',
        '{"body":{"chunk":3,"run":"r"},"tenant":"acme","id":"m"}',
    )
    for text in orders:
        task_door.post("/", data=text, content_type="application/json", headers=tasks_token)
    task_door.post("/", json=a_task(id="m", body={"run": "r", "chunk": 4}), headers=tasks_token)
    first, again, other = worker.calls
    assert first.request_hash == again.request_hash != other.request_hash


@pytest.mark.parametrize("path", ["/", "/calculate_payslips", "/calculate_payslips/"])
def test_a_private_door_takes_any_path(task_door: Client, tasks_token: Headers, path: str) -> None:
    """In production the door stands alone at its root; locally it is one of many."""
    assert task_door.post(path, json=a_task(), headers=tasks_token).status_code == 200


def test_a_door_may_hear_every_type(guarded_rooms: Rooms, worker: Worker, issuer: Issuer) -> None:
    """Whatever its topic announces, known when the door was written or not."""
    account = "daybook-events@daybook-test.iam.gserviceaccount.com"
    headers = {"Authorization": f"Bearer {issuer.token('fan_out_payments', email=account)}"}
    door = client_of(a_listening_door(guarded_rooms, worker))
    for kind in ("payment.applied", "payment.never_seen_before"):
        assert door.post("/", json=a_push(an_announcement(type=kind)), headers=headers).status_code == 200
    assert [told.type for told in worker.given] == ["payment.applied", "payment.never_seen_before"]


def test_an_event_is_handed_over_as_announced(event_door: Client, worker: Worker, events_token: Headers) -> None:
    """The listener gets the announcement, and a call under its id that continues its trace."""
    push = a_push(an_announcement(), PARENT)
    assert event_door.post("/issue_receipt", json=push, headers=events_token).status_code == 200
    (announcement,), (call,) = worker.given, worker.calls
    assert isinstance(announcement, Announcement)
    assert (announcement.id, announcement.subject, announcement.occurred_at) == ("event-1", "payment-1", NOON)
    assert announcement.data == {"invoice": "invoice-1", "amount": 1050}
    assert str(call.cause) == "system/issue_receipt/event-1"
    assert call.traceparent.split("-")[1] == PARENT.split("-")[1]


def test_an_event_of_another_type_is_acknowledged_untouched(
    event_door: Client, worker: Worker, events_token: Headers
) -> None:
    """A topic has many listeners; what is not for this one is not its fault."""
    answer = event_door.post("/", json=a_push(an_announcement(type="payment.refunded")), headers=events_token)
    assert (answer.status_code, answer.data) == (204, b"")
    assert worker.given == []


def test_a_schedule_fires_without_a_tenant(schedule_door: Client, worker: Worker, scheduler_token: Headers) -> None:
    """The body of a job is nobody's concern."""
    assert schedule_door.post("/", data=b"\x00anything", headers=scheduler_token).status_code == 200
    (tick,) = worker.given
    assert isinstance(tick, Tick)
    assert tick.at == NOON


def test_what_is_refused_does_not_come_again(
    task_door: Client, worker: Worker, tasks_token: Headers, log_lines: LogLines
) -> None:
    """A queue gets 200 and the code; an operator sees a warning."""
    worker.fault = REFUSED
    answer = task_door.post("/", json=a_task(), headers=tasks_token)
    assert (answer.status_code, answer.get_json()["refused"]) == (200, "conflict")
    (line,) = log_lines()
    assert (line["severity"], line["refused"], line["tenant"]) == ("WARNING", "conflict", "acme")


def test_what_may_succeed_later_comes_again(task_door: Client, worker: Worker, tasks_token: Headers) -> None:
    """503 with Retry-After, which Cloud Tasks honours."""
    worker.fault = BUSY
    answer = task_door.post("/", json=a_task(), headers=tasks_token)
    assert_problem(answer, 503, "retry_later")
    assert "Retry-After" in answer.headers


def test_a_bug_comes_again_and_is_seen(
    task_door: Client, worker: Worker, tasks_token: Headers, log_lines: LogLines
) -> None:
    """500 to the queue; the log tells where it was and never what the exception said."""
    worker.fault = ValueError("Ann Example, GB29NWBK60161331926819")
    answer = task_door.post("/", json=a_task(), headers=tasks_token)
    assert_problem(answer, 500, "internal_error")
    (line,) = log_lines()
    assert (line["severity"], line["exception"]) == ("ERROR", ["builtins.ValueError"])
    assert any("private_doors.py" in frame for frame in line["frames"])
    assert "Ann" not in str(line)


def test_a_bug_that_wraps_a_refusal_is_not_a_refusal(task_door: Client, worker: Worker, tasks_token: Headers) -> None:
    """Only the two families are answers."""
    worker.fault = RuntimeError("broken")
    worker.fault.__cause__ = REFUSED
    assert task_door.post("/", json=a_task(), headers=tasks_token).status_code == 500


@pytest.mark.parametrize(
    ("task", "field"),
    [
        (a_task(body={"run": "run-1"}), "body.chunk"),
        (a_task(body={"run": "run-1", "chunk": 1.0}), "body.chunk"),
        (a_task(body={"run": "run-1", "chunk": 1, "more": 2}), "body.more"),
        (a_task(tenant="Acme!"), "tenant"),
        (a_task(tenant="../x"), "tenant"),
        (a_task(id=""), "id"),
        (a_task(extra=1), "extra"),
        ({}, "id"),
    ],
)
def test_a_task_nobody_can_read_is_a_problem(
    task_door: Client, worker: Worker, tasks_token: Headers, task: dict[str, Any], field: str
) -> None:
    """The sender is at fault, and is told where."""
    assert_problem(task_door.post("/", json=task, headers=tasks_token), 422, "invalid_fields", field)
    assert worker.given == []


@pytest.mark.parametrize(
    ("push", "status", "code"),
    [
        ({}, 422, "invalid_fields"),
        ({"message": {"attributes": {}}}, 422, "invalid_fields"),
        ({"message": {"data": "not base64!"}}, 400, "malformed"),
        ({"message": {"data": base64.b64encode(b"not json").decode()}}, 400, "malformed"),
        (a_push(an_announcement(data={"amount": 10.5})), 400, "malformed"),
        (a_push(an_announcement(subject_version="1")), 422, "invalid_fields"),
        (a_push(an_announcement(tenant="")), 422, "invalid_fields"),
        (a_push([1, 2]), 422, "invalid_fields"),
    ],
)
def test_a_push_nobody_can_read_is_a_problem(
    event_door: Client, events_token: Headers, push: dict[str, Any], status: int, code: str
) -> None:
    """It will end in the dead-letter topic, where somebody looks."""
    answer = event_door.post("/", json=push, headers=events_token)
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (status, code)


def test_bytes_that_are_no_task_are_a_problem(task_door: Client, tasks_token: Headers) -> None:
    """Not JSON, and too large."""
    assert_problem(task_door.post("/", data=b"run", headers=tasks_token), 400, "malformed")
    assert_problem(task_door.post("/", data=b" " * (TASK_BYTES + 1), headers=tasks_token), 413, "too_large")


def test_a_private_door_is_posted_to(task_door: Client, tasks_token: Headers) -> None:
    """A GET is nobody's way in."""
    assert_problem(task_door.get("/", headers=tasks_token), 405, "method_not_allowed")
