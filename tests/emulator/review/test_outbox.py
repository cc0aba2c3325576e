"""Messages that cannot be sent stand in nobody's way: not the request's, not another tenant's, not a younger row's."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import grpc
import pytest

from shared.faults import Retryable
from shared.gcp.rpc import Method, RpcFailed
from shared.outbox import REMOVE_AFTER_ROWS, SWEEP_PAGE
from shared.ports import Decision, Put, View, tenant_ref
from tests.builders import ACME, NOON
from tests.emulator.review.conftest import PostOffice, a_command

LATER = NOON + timedelta(minutes=10)
NO_QUEUE = RpcFailed(Method("/CreateTask", None, None), grpc.StatusCode.NOT_FOUND, "Queue does not exist.")
SILENT = Retryable("CreateTask was not answered in time")


@pytest.mark.parametrize("fault", [NO_QUEUE, SILENT])
def test_a_committed_fact_is_answered_whatever_becomes_of_its_messages(
    post_office: PostOffice, fault: Exception
) -> None:
    """The queue is missing or silent: the row waits for the sweep, and nothing is raised."""
    command = a_command("only")
    post_office.leave(command)
    post_office.post.failing["payroll"] = fault
    post_office.outbox.dispatch([command])
    assert post_office.waiting() == 1


def test_a_silent_queue_is_waited_for_once(post_office: PostOffice) -> None:
    """Four hundred chunks do not wait for it four hundred times; other destinations are served."""
    post_office.post.failing["payroll"] = SILENT
    chunks = [a_command(f"chunk-{number}") for number in range(400)]
    post_office.outbox.dispatch([*chunks, a_command("other", "proofs")])
    assert post_office.post.asked == ["payroll", "proofs"]


def test_rows_that_cannot_go_out_do_not_stop_the_sweep(post_office: PostOffice) -> None:
    """A full page of commands to a missing queue, older by name, and younger rows behind it."""
    post_office.post.failing["gone"] = NO_QUEUE
    post_office.leave(*(a_command(f"stuck-{number}", "gone") for number in range(SWEEP_PAGE + 20)))
    fine = [a_command(f"fine-{number}") for number in range(30)]
    post_office.leave(*fine)
    assert post_office.outbox.sweep(LATER) == len(fine)
    assert sorted(post_office.post.sent) == sorted(command.id for command in fine)
    assert post_office.waiting() == SWEEP_PAGE + 20


def test_a_row_that_cannot_be_read_does_not_stop_the_sweep(post_office: PostOffice) -> None:
    """Whatever a broken version wrote, the rows of the others go out."""
    broken = Decision(None, (Put(tenant_ref(ACME, "outbox", "aaaa"), {"schema": 9, "created_at": NOON}),))

    def write(_: View) -> Decision[None]:
        return broken

    post_office.store.transact((), write)
    post_office.leave(a_command("fine"))
    assert post_office.outbox.sweep(LATER) == 1


def test_rows_sent_by_threads_side_by_side_are_all_removed(post_office: PostOffice) -> None:
    """No thread's rows are forgotten while another takes the list away."""
    commands = [a_command(f"thread-{number}") for number in range(REMOVE_AFTER_ROWS * 8)]
    post_office.leave(*commands)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda command: post_office.outbox.dispatch([command]), commands))
    post_office.outbox.remove_sent()
    assert post_office.waiting() == 0
