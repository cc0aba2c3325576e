"""What every problem document has in common."""

from typing import Any

from werkzeug.test import TestResponse

from shared.http.problems import PROBLEM_JSON


def assert_problem(answer: TestResponse, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """Assert that an answer is that problem, and return its fields."""
    assert (answer.status_code, answer.content_type) == (status, PROBLEM_JSON)
    problem: dict[str, Any] = answer.get_json(force=True)
    assert (problem["code"], problem["field"], problem["status"]) == (code, field, status)
    assert problem["type"] == f"https://daybook.dev/problems/{code}"
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return problem
