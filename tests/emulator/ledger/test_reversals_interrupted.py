"""Reversals whose answers are lost, late or told twice, and many at once: together never more than was posted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.gcp.rpc import RpcFailed
from shared.ledger.model import Side
from shared.ledger.refusals import (
    MoreThanLeftToReverse,
    NothingLeftToReverse,
)
from shared.ledger.rules.control import Control
from shared.ledger.rules.reversals import ReversalOrder
from shared.ledger.use_cases.reversals import Reversals
from shared.settings import Settings
from tests.builders import ACME, NOON, a_call, a_sale, entry_id
from tests.emulator.instances import Killed
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.reversing import SALE, WALLET, Desk, a_desk, outcome, reversal_id, with_wallet
from tests.emulator.lines import Commit, Switch, first, held, lost, lost_then, unsent


@pytest.fixture
def desk(settings: Settings, kept: Bookkeeping) -> Desk:
    """The reversals of a tenant with one sale posted."""
    return a_desk(settings, kept)


@pytest.fixture
def elsewhere(other: Bookkeeping, desk: Desk) -> Desk:
    """Another instance of the same."""
    del desk
    return Desk(other, Reversals(other.desk, other.books))


# --- lost, late, killed, told twice ------------------------------------------------------


@pytest.mark.parametrize("fault", [lost, unsent])
def test_a_commit_without_an_answer_reverses_once(desk: Desk, fault: Switch) -> None:
    """Whether it landed or not, it is there once and what is left says so."""
    desk.kept.line.commits.append(fault)
    done = desk.reverse("r", parts=(5_000, 5_000))
    assert (done.posted, desk.left()) == (True, (7_000, 7_000))
    assert desk.kept.proven()


def test_told_twice_it_is_reversed_once_also_after_midnight_and_after_the_close(desk: Desk, elsewhere: Desk) -> None:
    """The recorded reversal answers, with its own day, whatever the day and the month's state are now."""
    first_time = desk.reverse("r")
    desk.kept.controls.run(a_call("close"), Control.HARD_CLOSE, "2026-11")
    tomorrow = a_call("r", at=NOON + timedelta(days=1))
    again = elsewhere.reversals.reverse(tomorrow, ReversalOrder(SALE.id))
    assert (again.replayed, again.answer.entry) == (True, first_time.entry)
    assert desk.left() == (0, 0)


def test_a_reversal_that_landed_is_not_refused_because_the_rest_is_gone(desk: Desk, elsewhere: Desk) -> None:
    """It lands, its answer is lost, the rest is reversed by another: the answer is still posted."""
    desk.kept.line.commits.append(lost_then(lambda: elsewhere.reverse("rest")))
    done = desk.reverse("r", parts=(5_000, 5_000))
    assert done.posted
    assert set(desk.listed().values()) == {"posted"}
    assert desk.kept.proven()


def test_late_commit_after_a_recorded_refusal(desk: Desk, elsewhere: Desk) -> None:
    """A reversal held up on its way finds its id taken by the refusal, and what is left untouched by it."""
    late: list[Commit] = []
    desk.kept.line.commits.append(held(late, then=lambda: elsewhere.reverse("rest")))
    with pytest.raises(NothingLeftToReverse):
        desk.reverse("r", parts=(5_000, 5_000))
    with pytest.raises(RpcFailed):
        late[0]()
    assert desk.listed() == {reversal_id("r"): "nothing_left_to_reverse", reversal_id("rest"): "posted"}
    assert desk.left() == (0, 0)
    assert desk.kept.proven()


def test_a_late_refusal_finds_the_reversal_posted(desk: Desk, elsewhere: Desk) -> None:
    """The refusal for funds is held up; the money comes back, and the same command is posted elsewhere."""
    with_wallet(elsewhere, 100, spent=60)
    late: list[Commit] = []

    def refund_and_reverse() -> None:
        back = a_sale(60, name="back", to="assets:bank", of=WALLET.code)
        elsewhere.kept.books.post(a_call("back"), back)
        elsewhere.reverse("r", entry_id("deposit"))

    desk.kept.line.commits.append(held(late, then=refund_and_reverse))
    assert desk.reverse("r", entry_id("deposit")).posted
    with pytest.raises(RpcFailed):
        late[0]()
    assert desk.listed(entry_id("deposit")) == {reversal_id("r"): "posted"}
    assert desk.kept.proven()


def test_what_is_left_changes_between_decision_and_commit(desk: Desk, elsewhere: Desk) -> None:
    """The decision is made again on what is left then."""
    elsewhere.reverse("r0", parts=(1_000, 1_000))
    desk.kept.line.commits.append(first(lambda: elsewhere.reverse("r1", parts=(8_000, 8_000))))
    with pytest.raises(MoreThanLeftToReverse) as refused:
        desk.reverse("r2", parts=(5_000, 5_000))
    assert refused.value.detail == {"line": 0, "left": 3_000}
    assert desk.left() == (3_000, 3_000)


@pytest.mark.parametrize("landed", [True, False])
def test_killed_before_or_after_its_commit_a_redelivery_finishes_it_once(
    desk: Desk, elsewhere: Desk, *, landed: bool
) -> None:
    """One commit has no half; another instance answers or does it."""

    def die(commit: Commit) -> None:
        if landed:
            commit()
        raise Killed

    desk.kept.line.commits.append(die)
    with pytest.raises(Killed):
        desk.reverse("r", parts=(5_000, 5_000))
    assert elsewhere.reverse("r", parts=(5_000, 5_000)).posted
    assert elsewhere.left() == (7_000, 7_000)
    assert elsewhere.kept.proven()


# --- at once -----------------------------------------------------------------------------


def test_eight_threads_of_parts_never_exceed_the_original(desk: Desk, elsewhere: Desk) -> None:
    """Of 24 reversals of 1,000 from 12,000 over two instances exactly 12 are posted; the others find too little."""

    def take(number: int) -> str:
        return outcome(lambda: (desk, elsewhere)[number % 2].reverse(f"r{number}", parts=(1_000, 1_000)))

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(take, range(24)))
    assert outcomes.count("posted") == 12
    assert set(outcomes) <= {"posted", "nothing_left_to_reverse", "more_than_left_to_reverse"}
    assert (desk.left(), desk.balances()) == ((0, 0), {})
    assert list(desk.listed().values()).count("posted") == 12
    assert desk.kept.proven()


def test_a_whole_reversal_beside_parts_takes_what_they_leave(desk: Desk, elsewhere: Desk) -> None:
    """Whatever the order, what was reversed adds up to the original once."""

    def take(number: int) -> str:
        parts = () if number == 3 else (1_500, 1_500)
        return outcome(lambda: (desk, elsewhere)[number % 2].reverse(f"r{number}", parts=parts))

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(take, range(8)))
    assert outcomes[3] == "posted"
    page = desk.reversals.of(ACME, SALE.id, 50, None)
    posted = [one.entry for one in page.reversals.items if one.posted]
    credits_ = [line.money.amount for entry in posted for line in entry.lines if line.side is Side.CREDIT]
    assert (sum(credits_), page.left) == (12_000, (0, 0))
    assert desk.balances() == {}
    assert desk.kept.proven()


def test_the_same_reversal_eight_times_at_once_is_one(desk: Desk) -> None:
    """One posts, seven answer what it posted."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: desk.reverse("r", parts=(500, 500)), range(8)))
    assert {answer.entry.id for answer in answers} == {reversal_id("r")}
    assert desk.left() == (11_500, 11_500)
    assert desk.kept.proven()


def test_reversals_are_listed_a_page_at_a_time(desk: Desk) -> None:
    """Every one on one page exactly, with what is left on each."""
    for number in range(5):
        desk.reverse(f"r{number}", parts=(100, 100))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = desk.reversals.of(ACME, SALE.id, 2, cursor)
        assert page.left == (11_500, 11_500)
        seen += [one.entry.id for one in page.reversals.items]
        cursor = page.reversals.next_cursor
        if cursor is None:
            break
    assert seen == sorted(reversal_id(f"r{number}") for number in range(5))
