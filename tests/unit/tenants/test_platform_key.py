"""The platform's key at doors that do not know it."""

from typing import cast

import pytest

from shared.faults import Unauthenticated
from shared.ports import Store
from shared.tenants.use_cases.credentials import PLATFORM_KEY, Credentials
from tests.builders import NOON
from tests.unit.http.rooms import FixedClock, KnownSecrets

KEY = "db_platform_aaaa_bbbb"


def credentials(secrets: dict[str, tuple[bytes, ...]]) -> Credentials:
    """A register that never needs its store for the platform's key."""
    return Credentials(cast("Store", None), KnownSecrets(secrets), FixedClock())


def test_where_the_platform_has_no_key_its_key_opens_nothing() -> None:
    """Most doors may not read that secret: whoever shows such a key there is a stranger, not our bug."""
    with pytest.raises(Unauthenticated):
        credentials({}).authenticate(KEY, NOON)


def test_every_live_version_of_the_platforms_key_opens() -> None:
    """Rotation leaves nobody standing outside; the version that is gone opens nothing."""
    register = credentials({PLATFORM_KEY: (b"db_platform_cccc_dddd", KEY.encode())})
    assert register.authenticate(KEY, NOON).role == "platform"
    with pytest.raises(Unauthenticated):
        register.authenticate("db_platform_eeee_ffff", NOON)
