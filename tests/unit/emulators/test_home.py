import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from emulators.partners import PARTNERS
from emulators.partners.keys import signing_secret
from emulators.secret_files import make_secrets
from emulators.state import AlreadyUp, Home, ProcessId, State, process_id
from shared.identity import SystemIds


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A new state folder."""
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def _state(runner: ProcessId) -> State:
    return State(runner, {"host": runner}, {"doors": 15000}, {"DAYBOOK_PROJECT": "daybook-local"}, ("invoices",))


def test_a_running_cloud_is_read_back(home: Home) -> None:
    """What the runner wrote is what everybody else reads."""
    state = _state(process_id(os.getpid()))
    home.write(state)
    assert home.running() == state


def test_a_cloud_whose_runner_is_dead_is_nothing(home: Home) -> None:
    """A state file left by a crash does not count."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        runner = process_id(process.pid)
        assert runner.alive()
        process.communicate()
    home.write(_state(runner))
    assert home.running() is None


def test_a_reused_process_id_is_not_taken_for_the_runner(home: Home) -> None:
    """The same number with another start time is another process."""
    home.write(_state(ProcessId(os.getpid(), started=1)))
    assert home.running() is None


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"runner": 1}'])
def test_a_damaged_state_file_is_nothing(home: Home, text: str) -> None:
    """Whatever was left there, a new cloud can start."""
    home.state.write_text(text)
    assert home.running() is None


def test_one_cloud_a_home(home: Home) -> None:
    """The second to claim a home is told so, until the first lets go."""
    lock = home.claim()
    with pytest.raises(AlreadyUp):
        home.claim()
    os.close(lock)
    os.close(home.claim())


def test_clearing_touches_only_what_clouds_left(home: Home) -> None:
    """A home that is somebody's own folder keeps what is theirs."""
    (home.path / "notes.txt").write_text("mine")
    make_secrets(home.secrets, SystemIds())
    home.clear()
    assert [path.name for path in home.path.iterdir()] == ["notes.txt"]


def test_secrets_are_made_once_and_are_private(home: Home) -> None:
    """A second start finds the first one's secrets, readable by their owner only."""
    make_secrets(home.secrets, SystemIds())
    before = {path.name: path.read_text() for path in home.secrets.iterdir()}
    make_secrets(home.secrets, SystemIds())
    assert {path.name: path.read_text() for path in home.secrets.iterdir()} == before
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in home.secrets.iterdir())
    assert before["platform-key"].startswith("db_platform_")


@pytest.mark.parametrize("partner", PARTNERS)
def test_a_partner_signs_with_one_secret_a_tenant(home: Home, partner: str) -> None:
    """Asked again, the secret is the same; another tenant's is another; all are private."""
    first = signing_secret(home.secrets, "acme", partner, SystemIds())
    assert signing_secret(home.secrets, "acme", partner, SystemIds()) == first
    assert signing_secret(home.secrets, "globex", partner, SystemIds()) != first
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in home.secrets.iterdir())
