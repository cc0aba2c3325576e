"""The batching writer's lanes: a floored account's beside the rest's, and the two commits at once of the latter."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.ledger.records import guard_ref
from shared.ledger.use_cases.writer import COMPANY
from shared.ports import Decision, Delete
from tests.builders import ACME, a_sale
from tests.emulator.ledger.asked import Killed, killed, passes
from tests.emulator.ledger.conftest import Bookkeeping
from tests.emulator.ledger.crowds import SECONDS, WALLET, Crowd, Gate, a_withdrawal, post


def test_postings_without_a_floor_share_the_next_commit_and_read_nothing(crowd: Crowd) -> None:
    """Twenty sales behind two commits: their totals are merged, and none is read."""
    for number in range(60):
        post(crowd.wallet, a_sale(1, name=f"known-{number}"))
    before = len(crowd.wallet.line.paths)
    sales = [a_sale(1, name=f"s{one}") for one in range(20)]
    followers = crowd.behind_two(sales)
    assert [one.result(SECONDS) for one in followers] == ["posted"] * 20
    assert crowd.wallet.line.paths[before:] == ["Commit"] * 3
    assert crowd.wallet.proven()


def test_who_waits_for_a_floored_account_holds_up_nobody_else(crowd: Crowd) -> None:
    """A sale is posted while a withdrawal's commit is still on its way."""
    gate = Gate(passes)
    crowd.wallet.line.commits = [gate]
    leader = crowd.pool.submit(post, crowd.wallet, a_withdrawal(1, "leader"))
    assert gate.reached.wait(SECONDS)
    assert post(crowd.wallet, a_sale(1, name="meanwhile")) == "posted"
    assert not leader.done()
    gate.open.set()
    assert leader.result(SECONDS) == "posted"


@pytest.mark.parametrize("bad", [0, 7, 14])
def test_an_account_that_nobody_knows_refuses_its_own_entry_alone(crowd: Crowd, bad: int) -> None:
    """Among sales that wait together."""
    entries = [a_sale(1, name=f"s{one}") for one in range(15)]
    entries[bad] = a_sale(1, name=f"s{bad}", to="assets:nobody:knows")
    followers = crowd.behind_two(entries)
    came = [one.result(SECONDS) for one in followers]
    assert came == ["unknown_account" if place == bad else "posted" for place in range(15)]
    assert crowd.wallet.proven()


def test_what_is_wrong_with_one_is_not_its_companions_answer(wallet: Bookkeeping, other: Bookkeeping) -> None:
    """A regression: a floored account without its guard felled whoever waited with it, again and again."""
    wallet.store.transact((), lambda _: Decision(None, (Delete(guard_ref(ACME, WALLET.code)),)))
    entries = [a_sale(1, name=f"s{one}") for one in range(6)]
    entries.insert(3, a_withdrawal(1, "broken"))
    with ThreadPoolExecutor(20) as pool:
        followers = Crowd(other, pool).behind_two(entries)
        came = [one.exception(SECONDS) or one.result(SECONDS) for one in followers]
    assert isinstance(came.pop(3), LookupError)
    assert came == ["posted"] * 6
    with pytest.raises(LookupError):
        post(other, a_withdrawal(1, "broken"))


def test_a_second_commit_begins_beside_the_first_once_enough_wait(crowd: Crowd) -> None:
    """Four share it and are posted while the first is on its way; the three that come then wait, and send nothing."""
    first = Gate(passes)
    crowd.wallet.line.commits = [first]
    leader = crowd.pool.submit(post, crowd.wallet, a_sale(1, name="first"))
    assert first.reached.wait(SECONDS)
    beside = [crowd.pool.submit(post, crowd.wallet, a_sale(1, name=f"s{one}")) for one in range(COMPANY)]
    assert [one.result(SECONDS) for one in beside] == ["posted"] * COMPANY
    sent = crowd.wallet.line.paths.copy()
    few = [crowd.pool.submit(post, crowd.wallet, a_sale(1, name=f"t{one}")) for one in range(COMPANY - 1)]
    crowd.all_wait(COMPANY - 1)
    assert crowd.wallet.line.paths == sent
    assert not leader.done()
    first.open.set()
    assert [one.result(SECONDS) for one in (leader, *few)] == ["posted"] * COMPANY
    assert crowd.wallet.proven()


def test_a_commit_beside_another_that_dies_leaves_the_lane_whole(crowd: Crowd) -> None:
    """Its leader's companions come again; who waits meanwhile is led by whoever is left."""
    first = Gate(passes)
    crowd.wallet.line.commits = [first, killed]
    leader = crowd.pool.submit(post, crowd.wallet, a_sale(1, name="first"))
    assert first.reached.wait(SECONDS)
    beside = [crowd.pool.submit(post, crowd.wallet, a_sale(1, name=f"s{one}")) for one in range(COMPANY)]
    came = [one.exception(SECONDS) or one.result(SECONDS) for one in beside]
    assert sum(isinstance(one, Killed) for one in came) == 1
    assert sum(one == "retry" for one in came) == COMPANY - 1
    first.open.set()
    assert leader.result(SECONDS) == "posted"
    assert [post(crowd.wallet, a_sale(1, name=f"s{one}")) for one in range(COMPANY)] == ["posted"] * COMPANY
    assert crowd.wallet.books.writer.waiting == 0
    assert crowd.wallet.proven()


def test_the_same_request_in_two_commits_at_once_is_posted_once(crowd: Crowd) -> None:
    """The second finds it, and its companions are posted."""
    first = Gate(passes)
    crowd.wallet.line.commits = [first]
    leader = crowd.pool.submit(post, crowd.wallet, a_sale(1, name="same"))
    assert first.reached.wait(SECONDS)
    names = ["same", *(f"s{one}" for one in range(COMPANY - 1))]
    beside = [crowd.pool.submit(post, crowd.wallet, a_sale(1, name=name)) for name in names]
    assert sorted(one.result(SECONDS) for one in beside) == ["posted"] * COMPANY
    first.open.set()
    assert leader.result(SECONDS) == "replayed"
    assert crowd.wallet.proven()
