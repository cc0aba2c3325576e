"""The raw documents of the other rows, created by Google's own client: what the bars beside raw were set with."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from shared.identity import stored_id
from shared.ports import tenant_ref
from shared.wiring import House
from tests.bench.world import TENANT

_TEXT: Final = "x" * 960


@dataclass(frozen=True, slots=True)
class ByGoogle:
    """Create so many documents of 1 KB a commit; equal values are the same work, also in another process."""

    size: int

    def __call__(self, house: House, name: str) -> Callable[[int], object]:
        """A thread's way of doing it; a process has one client."""
        client = _client(house.settings.project, house.settings.database, house.settings.firestore_endpoint)
        return partial(_create, client, name, self.size)


@cache
def _client(project: str, database: str, endpoint: str | None) -> firestore.Client:
    os.environ["FIRESTORE_EMULATOR_HOST"] = endpoint or ""  # noqa: TID251 - how Google's client is told
    nobody: Callable[[], Any] = AnonymousCredentials
    return firestore.Client(project=project, database=database, credentials=nobody())


def _create(client: firestore.Client, name: str, size: int, number: int) -> None:
    batch = client.batch()
    for one in range(size):
        ref = tenant_ref(TENANT, "bench", stored_id("google", name, str(size), str(number), str(one)))
        batch.create(client.document(ref.path), {"schema": 1, "text": _TEXT})
    batch.commit()
