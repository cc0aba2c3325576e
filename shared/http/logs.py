"""One JSON line on stdout a request, in the fields Cloud Logging reads, and never a body, a path's values or a header.

structlog is set up at the first request, with the house's clock for `time`; every line written
while a request is served, by any module, carries its trace.
"""

import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Final

import structlog

from shared.clock import Clock
from shared.http.house import FrameHouse
from shared.http.tracing import Trace

_SEVERITY: Final = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR", "critical": "CRITICAL"}
_configured: list[Clock] = []


def configure(house: FrameHouse) -> None:
    """Send structlog's lines to stdout as JSON, timed by the house's clock; cheap when it is done already."""
    clock = house.clock
    if _configured and _configured[0] is clock:
        return

    def stamp(_: object, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {"severity": _SEVERITY[method], "time": clock.now().isoformat(), "message": line.pop("event"), **line}

    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, stamp, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    _configured[:] = [clock]


def enter(project: str, trace: Trace) -> None:
    """Give every line from here on, in this context, the request's trace."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        **{
            "logging.googleapis.com/trace": f"projects/{project}/traces/{trace.trace_id}",
            "logging.googleapis.com/spanId": trace.span_id,
            "logging.googleapis.com/trace_sampled": trace.flags == "01",
        }
    )


def write(severity: str, fields: MutableMapping[str, Any]) -> None:
    """Write the request's line; `severity` is `info`, `warning` or `error`."""
    getattr(structlog.get_logger("request"), severity)("request", **fields)


def what_failed(error: BaseException) -> dict[str, Any]:
    """A bug's type and where it came from, without its message: that may quote a value."""
    chain = [f"{type(link).__module__}.{type(link).__qualname__}" for link in _links(error)]
    return {"exception": chain, "frames": _frames(error.__traceback__)}


def _links(error: BaseException | None) -> list[BaseException]:
    links: list[BaseException] = []
    while error is not None and error not in links:
        links.append(error)
        error = error.__cause__ or error.__context__
    return links


def _frames(trace: TracebackType | None) -> list[str]:
    summary = traceback.StackSummary.extract(traceback.walk_tb(trace), lookup_lines=False)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in summary][-40:]
