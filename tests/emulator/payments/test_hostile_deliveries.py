"""Whatever a partner signs is stored, kept apart or refused, and applied, waiting or refused: never an error of ours.

At a door every other exception is a 500, which the partner and the queue would send again for days.
"""

import pytest
from hypothesis import HealthCheck, given, settings

from shared.events import Command
from shared.faults import Refused, Retryable
from shared.payments.use_cases.inbox import RawEvent
from shared.ports import Query
from tests.builders import ACME, a_call
from tests.emulator.instances import Instance
from tests.emulator.payments.accounts import WAITED
from tests.emulator.payments.conftest import apply
from tests.unit.payments.hostile import spoilt
from tests.unit.payments.partner_events import PARTNERS, secret_of, signed

EXAMPLES = 40


@pytest.mark.parametrize("partner", PARTNERS)
def test_no_signed_bytes_are_an_error_of_ours(house: Instance, partner: str) -> None:
    """Taken in twice, then applied when there is nothing left to wait for; the books balance after all of it."""

    @settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
    @given(body=spoilt(partner))
    def holds(body: bytes) -> None:
        stored = [take_in(house, partner, body) for _ in range(2)]
        assert stored[0] == stored[1], "told again, it is what it was"

    holds()
    for task in house.post.take("apply_payment_event"):
        bring(house, task)
    assert house.proven()
    assert int(house.store.aggregate(Query("inbox", ACME))["count"]) > 0


def take_in(house: Instance, partner: str, body: bytes) -> list[str]:
    """The ids under which a signed body is stored; none where it is refused."""
    raw = RawEvent(partner, body, signed(partner, body, secret=secret_of(partner)))
    try:
        return [event.key for event in house.inbox.receive(a_call(""), raw).answer]
    except Refused:
        return []


def bring(house: Instance, task: Command) -> None:
    """The queue brings a task, at the end of all waiting."""
    try:
        apply(house, task, WAITED)
    except (Refused, Retryable):
        return
