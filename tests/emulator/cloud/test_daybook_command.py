import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emulators.addresses import fetch
from emulators.partners import PARTNERS
from emulators.state import Home, State
from emulators.supervisor import Wish, bring_down, bring_up
from tests.emulator.cloud.example_doors import Daybook, Eventually, ExampleDoors

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The home of the one cloud of these tests."""
    home = Home(tmp_path_factory.mktemp("home"))
    yield home
    bring_down(home)


@pytest.fixture(scope="module")
def up(home: Home, doors: ExampleDoors) -> State:
    """A cloud that a supervisor runs, begun on the first of November."""
    return bring_up(home, Wish(doors.names, datetime(2026, 11, 1, 8, tzinfo=UTC), doors.root), lambda _: None)


@pytest.fixture
def daybook(daybook_at: Callable[[Home], Daybook], home: Home) -> Daybook:
    """The `daybook` command on the cloud of these tests."""
    return daybook_at(home)


def test_the_command_shows_and_moves_the_clock(up: State, daybook: Daybook) -> None:
    """Time moves forward only, for every process at once."""
    assert up
    assert daybook("clock", "show").stdout.startswith("2026-11-01 08:00")
    assert daybook("clock", "advance", "1d2h").stdout.startswith("2026-11-02 10:00")
    assert daybook("clock", "set", "2026-11-30T00:00Z").stdout.startswith("2026-11-30 00:00")
    back = daybook("clock", "set", "2026-11-01")
    assert back.returncode == 1
    assert "only moves forward" in back.stderr


def test_the_command_calls_doors_and_jobs(
    up: State, daybook: Daybook, doors: ExampleDoors, eventually: Eventually
) -> None:
    """A private door is given a token, an event door a push, a job is run, a name that is none is refused."""
    assert up
    private = json.loads(daybook("call", "prove_ledger", '{"tenant": "acme"}').stdout.removeprefix("200 "))
    assert private["token"].startswith("Bearer ey")
    assert json.loads(private["body"]) == {"tenant": "acme"}
    event = json.loads(daybook("call", "issue_receipt", "{}").stdout.removeprefix("200 "))
    assert json.loads(event["body"])["message"]["data"] == "e30="
    before = len(doors.told())
    assert daybook("fire", "prove-ledgers").returncode == 0
    eventually(lambda: len(doors.told()) > before, "the job's call")
    assert "no function is called nobody" in daybook("call", "nobody").stderr


def test_the_command_makes_tenants_and_keys(up: State, home: Home, daybook: Daybook) -> None:
    """A new tenant's key is kept for later commands, and its partners can sign."""
    assert up
    assert daybook("tenant", "create", "acme").returncode == 0
    assert home.keys()["acme"] == "db_acme_k1_secret"
    assert (home.secrets / "webhook-acme-stripe").read_text().startswith("whsec_")
    assert {path.name for path in home.secrets.glob("webhook-acme-*")} == {f"webhook-acme-{name}" for name in PARTNERS}
    made = json.loads(daybook("keys", "create", "user:bob", "--role", "auditor", "--tenant", "acme").stdout)
    assert made["token"] == "Bearer db_acme_k1_secret"  # noqa: S105 - what the example door hands out
    assert json.loads(made["body"]) == {"principal": "user:bob", "role": "auditor"}
    revoked = json.loads(daybook("keys", "revoke", "k2", "--tenant", "globex").stdout)
    assert revoked["path"] == "/v1/api_keys/k2/revoke"
    assert revoked["token"].startswith("Bearer db_platform_")
    assert json.loads(revoked["body"]) == {"tenant": "globex"}


def test_status_says_what_is_well(up: State, daybook: Daybook) -> None:
    """Every process with its address; exit code 0."""
    shown = daybook("status")
    assert shown.returncode == 0
    assert all(name in shown.stdout for name in ("firestore", "pubsub", "services", "host"))
    assert str(up.ports["doors"]) in shown.stdout


def test_errors_are_one_line(daybook_at: Callable[[Home], Daybook], tmp_path: Path) -> None:
    """Where nothing is up, every verb says so and how to go on."""
    daybook = daybook_at(Home(tmp_path))
    for arguments in (["status"], ["clock", "show"], ["fire", "sweep-outbox"], ["tenant", "create", "acme"]):
        answer = daybook(*arguments)
        assert answer.returncode == 1
        assert answer.stderr.strip().endswith("start one with `daybook up`")
        assert len(answer.stderr.strip().splitlines()) == 1


def test_a_killed_host_is_started_again_by_the_supervisor(home: Home, up: State, eventually: Eventually) -> None:
    """The supervisor notices by itself and writes down the new process."""
    killed = up.processes["host"]
    os.killpg(killed.pid, signal.SIGKILL)
    eventually(lambda: (now := home.running()) and now.processes["host"] != killed, "another host")
    assert fetch(f"{up.environment['DAYBOOK_DOORS_URL']}/healthz")
