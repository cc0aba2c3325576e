"""Payments against refusals, lost answers and death: what was answered stands, and money moves once."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.faults import Kind, Refused
from shared.gcp.rpc import RpcFailed
from shared.invoicing.model import InvoiceState
from shared.ledger.rules.control import Control
from shared.payments.model import EventState
from tests.builders import ACME, a_call
from tests.emulator.instances import Fate, Instance, Killed, More
from tests.emulator.lines import Commit, Switch, first, held, lost, lost_then, unsent
from tests.emulator.payments.accounts import (
    CLEARING,
    entries,
    invoice_now,
    payment,
)
from tests.emulator.payments.conftest import apply, settle, task_of, told
from tests.unit.payments.stripe_events import paid, refunded

# --- the ledger says no ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("control", "target", "code"),
    [
        (Control.HARD_CLOSE, "2026-11", "period_closed"),
        (Control.SOFT_CLOSE, "2026-11", "period_closed"),
        (Control.FREEZE, CLEARING, "account_frozen"),
    ],
)
def test_what_the_ledger_refuses_is_on_the_event_and_in_the_journal(
    house: Instance, another: More, control: Control, target: str, code: str
) -> None:
    """Refused once, refused for ever, with the same words; payment and invoice are untouched."""
    invoice = house.an_invoice()
    settle(house, paid("pi_0", 1_000, invoice=invoice.id))
    house.controls.run(a_call("control"), control, target)
    event = paid(invoice=invoice.id)
    task = task_of(house, event)
    for instance in (house, house, another()):
        with pytest.raises(Refused) as refusal:
            apply(instance, task)
        assert (refusal.value.code, refusal.value.kind) == (code, Kind.CONFLICT)
    stored = told(house, event).answer
    assert stored.state is EventState.REFUSED
    recorded = house.books.entry(ACME, stored.entry_id)  # type: ignore[arg-type]
    assert recorded.refusal is not None
    assert (recorded.posted, recorded.refusal["code"]) == (False, code)
    assert (invoice_now(house, invoice).paid, entries(house), house.proven()) == (1_000, 1, True)


def test_a_refused_event_stays_refused_when_the_reason_is_gone(house: Instance) -> None:
    """Redelivery after the state changed: what was answered stands."""
    invoice = house.an_invoice()
    house.controls.run(a_call("freeze"), Control.FREEZE, CLEARING)
    task = task_of(house, paid(invoice=invoice.id))
    with pytest.raises(Refused):
        apply(house, task)
    house.controls.run(a_call("unfreeze"), Control.UNFREEZE, CLEARING)
    with pytest.raises(Refused) as refusal:
        apply(house, task)
    assert refusal.value.code == "account_frozen"
    assert (house.balance(CLEARING), house.proven()) == (0, True)


# --- answers lost, instances killed ------------------------------------------------------


def warm(house: Instance) -> None:
    """Make an instance remember the accounts."""
    settle(house, paid("pi_warm", 100))


@pytest.mark.parametrize("fault", [lost, unsent])
@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
def test_a_commit_without_an_answer_moves_money_once(house: Instance, fault: Switch, *, cold: bool) -> None:
    """Whether it landed or not; and what it announced goes out before the answer."""
    invoice = house.an_invoice()
    if not cold:
        warm(house)
    task = task_of(house, paid(invoice=invoice.id))
    house.line.commits.append(fault)
    assert apply(house, task).answer.state is EventState.APPLIED
    assert (invoice_now(house, invoice).state, house.proven()) == (InvoiceState.PAID, True)
    assert [one.subject for one in house.post.told.values()].count(payment(house).id) == 1


def test_a_commit_that_lands_late_finds_its_place_taken(house: Instance) -> None:
    """Held up on its way while the next try was applied: it is turned away, and money moved once."""
    invoice = house.an_invoice()
    warm(house)
    task = task_of(house, paid(invoice=invoice.id))
    late: list[Commit] = []
    house.line.commits.append(held(late, then=lambda: None))
    assert apply(house, task).answer.state is EventState.APPLIED
    with pytest.raises(RpcFailed):
        late[0]()
    assert (invoice_now(house, invoice).paid, entries(house), house.proven()) == (12_000, 2, True)


def test_applied_but_unanswered_it_stays_applied_though_the_month_closes(house: Instance, another: More) -> None:
    """The payment lands, its answer is lost, the month closes: the answer is still applied."""
    invoice = house.an_invoice()
    warm(house)
    other = another()
    task = task_of(house, paid(invoice=invoice.id))

    def close() -> None:
        other.controls.run(a_call("close"), Control.HARD_CLOSE, "2026-11")

    house.line.commits.append(lost_then(close))
    assert apply(house, task).answer.state is EventState.APPLIED
    assert (entries(house), entries(house, "refused"), house.proven()) == (2, 0, True)


def test_a_refusal_whose_answer_is_lost_is_given_all_the_same(house: Instance) -> None:
    """The record of it is found, and raised."""
    warm(house)
    house.controls.run(a_call("close"), Control.HARD_CLOSE, "2026-11")
    task = task_of(house, paid())
    house.line.commits += [first(lambda: None), lost]
    with pytest.raises(Refused) as refusal:
        apply(house, task)
    assert refusal.value.code == "period_closed"
    assert entries(house, "refused") == 1


@pytest.mark.parametrize("make", [paid, refunded], ids=["payment", "refund"])
def test_killed_at_any_moment_redelivery_ends_in_the_same_state(
    house: Instance, another: More, make: Callable[..., dict[str, Any]]
) -> None:
    """Dead between any two calls to store and bus: redelivered, the money moved once and everybody was told."""
    invoice = house.an_invoice()
    settle(house, paid("pi_0", 100, invoice=invoice.id))
    for moment in range(20):
        reference, fate = f"pi_k{moment}", Fate()
        if make is refunded:
            settle(house, paid(reference, 100, invoice=invoice.id))
        named = {"refund": f"re_{moment}"} if make is refunded else {"invoice": invoice.id}
        task = task_of(house, make(reference, 100, **named))
        mortal, fate.left = another(fate), moment
        try:
            apply(mortal, task)
        except Killed:
            killed = True
        else:
            killed = False
        assert apply(house, task).answer.state is EventState.APPLIED
        told_of = (mortal.post.told | house.post.told).values()
        versions = {one.subject_version for one in told_of if one.subject == payment(house, reference).id}
        assert versions == ({1, 2} if make is refunded else {1})
        if not killed:
            break
    assert not killed
    assert moment > 4, "reading, deciding again, committing and telling have more moments"
    gone = make is refunded
    now = invoice_now(house, invoice)
    assert (now.paid, now.refunded) == (100 if gone else 100 * (moment + 2), 100 * (moment + 1) if gone else 0)
    assert (house.balance(CLEARING), house.proven()) == (now.paid, True)
