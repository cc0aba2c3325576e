import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.services.doors import Door, Street
from tests.emulator.services.rig import Services

LOCATION = "projects/kept/locations/europe-west2"


@pytest.fixture
def mortal(street: Street, tmp_path: Path) -> Iterator[Services]:
    """A process of the test's own, to be killed."""
    running = Services(tmp_path, street.url)
    yield running
    running.stop()


def test_keys_queues_and_jobs_survive_a_kill(mortal: Services, door: Door) -> None:
    """After kill -9 and a start, old ciphertexts open, tokens have the same key, and queues and jobs are there."""
    ring = mortal.kms.create_key_ring(parent=LOCATION, key_ring_id="ring", key_ring={}).name
    key = mortal.kms.create_crypto_key(parent=ring, crypto_key_id="key", crypto_key={"purpose": "ENCRYPT_DECRYPT"}).name
    ciphertext = mortal.kms.encrypt(name=key, plaintext=b"kept").ciphertext
    queue = mortal.tasks.create_queue(parent=LOCATION, queue={"name": f"{LOCATION}/queues/q"}).name
    job = {"name": f"{LOCATION}/jobs/j", "schedule": "0 * * * *", "http_target": {"uri": door.url}}
    mortal.scheduler.create_job(parent=LOCATION, job=job)
    keys = mortal.ask("/jwks")
    mortal.kill()
    mortal.restart()
    assert mortal.kms.decrypt(name=key, ciphertext=ciphertext).plaintext == b"kept"
    assert mortal.ask("/jwks") == keys
    mortal.tasks.create_task(parent=queue, task={"http_request": {"url": door.url}})
    door.wait_for(1)
    mortal.advance(hours=1)
    door.wait_for(2)


def test_only_the_owner_reads_the_state_file(mortal: Services) -> None:
    """Key material is in one file of mode 0600."""
    assert stat.S_IMODE(mortal.state_file.stat().st_mode) == 0o600
