import re

import pytest

from shared.http.tracing import continued, request_id
from tests.unit.http.rooms import CountedIds

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


def test_a_trace_goes_on_with_a_new_span() -> None:
    """Same trace id and flags, another parent."""
    trace = continued(f"00-{TRACE}-{PARENT}-00", CountedIds())
    assert (trace.trace_id, trace.flags) == (TRACE, "00")
    assert trace.span_id != PARENT
    assert trace.traceparent == f"00-{TRACE}-{trace.span_id}-00"


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    """Trace Context, section 3.2.4: a higher version may carry more."""
    assert continued(f"01-{TRACE}-{PARENT}-01-more", CountedIds()).trace_id == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "garbage",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
        f"01-{TRACE}-{PARENT}-01-{'x' * 300}",
    ],
)
def test_what_cannot_be_read_begins_a_new_trace(header: str | None) -> None:
    """A broken header is no reason to lose the trace from here on."""
    trace = continued(header, CountedIds())
    assert trace.trace_id != TRACE
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", trace.traceparent)


def test_a_safe_request_id_is_kept_and_others_are_replaced() -> None:
    """What is printed in logs cannot be chosen freely."""
    assert request_id("client-7.a_B", CountedIds()) == "client-7.a_B"
    for unsafe in (None, "", "a b", "x" * 65, "{}", "-x", "a\nb", "ä"):
        assert request_id(unsafe, CountedIds()) == "token1x10"
