from collections.abc import Iterator

import pytest

from tests.emulator.services.rig import Services


@pytest.fixture(scope="session")
def kms_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Cloud KMS in a process of its own."""
    running = Services(tmp_path_factory.mktemp("kms"), "http://127.0.0.1:1")
    yield running
    assert running.stop() == 0
