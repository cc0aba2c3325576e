"""A small catalogue that is right, to make wrong in one place at a time."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from emulators.catalogue import Catalogue, CatalogueMistaken, parse_catalogue

RIGHT = """
version: 1
defaults: {memory: 512Mi, cpu: 1, concurrency: 16, timeout_seconds: 60, max_instances: 20}
requirement_groups: [frame, google]
callers: {tasks: daybook-tasks, scheduler: daybook-scheduler, events: daybook-events}
functions:
  invoices:
    {domain: invoicing, trigger: {http: /v1/invoices}, roles: [store], requirements: [frame]}
  post_payslips:
    {domain: payroll, trigger: {queue: payroll}, callers: [tasks], memory: 1Gi, roles: [store], requirements: [frame]}
  issue_receipt:
    {domain: payments, trigger: {topic: payments}, callers: [events], roles: [store], requirements: [frame, google]}
  sweep_outbox:
    {domain: platform, trigger: {schedule: [sweep-outbox]}, callers: [scheduler], roles: [store], requirements: [frame]}
queues:
  payroll:
    max_dispatches_per_second: 100
    max_concurrent_dispatches: 50
    max_attempts: 100
    min_backoff_seconds: 1
    max_backoff_seconds: 300
    max_doublings: 6
    max_retry_seconds: 259200
topics: {payments: {}}
subscriptions:
  issue-receipt:
    topic: payments
    function: issue_receipt
    min_backoff_seconds: 1
    max_backoff_seconds: 600
    max_delivery_attempts: 20
    ack_deadline_seconds: 60
alerts:
  request: A request ended in a bug and is tried again.
jobs:
  sweep-outbox: {function: sweep_outbox, cron: "*/5 * * * *", zone: Etc/UTC}
"""

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def right() -> Catalogue:
    """The small catalogue, read."""
    return parse_catalogue(RIGHT)


@pytest.fixture
def mistakes_after() -> Callable[[Change], str]:
    """What the loader says of the small catalogue after one change."""

    def after(change: Change) -> str:
        document = yaml.safe_load(RIGHT)
        change(document)
        with pytest.raises(CatalogueMistaken) as caught:
            parse_catalogue(yaml.safe_dump(document))
        return str(caught.value)

    return after


@pytest.fixture
def right_text() -> str:
    """The small catalogue, as written."""
    return RIGHT
