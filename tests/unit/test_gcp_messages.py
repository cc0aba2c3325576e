"""Message types are cheap, and leave Google's packages whole."""

import subprocess
import sys

ADAPTERS = "from shared.gcp import firestore, firestore_values, kms, pubsub, secrets, tasks"
PACKAGES = """
from google.cloud import firestore_v1, kms_v1, pubsub_v1, secretmanager_v1, tasks_v2
from google.cloud.firestore_v1 import types
assert tasks_v2.types.Task is tasks_v2.Task and firestore_v1.types.Value.pb() and kms_v1.KeyManagementServiceClient
from google.cloud.firestore_v1.types import document
assert types.Value is document.Value and pubsub_v1.PublisherClient and secretmanager_v1.SecretManagerServiceClient
"""
SAME = "assert tasks._tasks.Task is tasks_v2.Task.pb() and firestore_values.PbValue is firestore_v1.types.Value.pb()"
LIGHT = """
import sys
heavy = [name for name in sys.modules if name.startswith("google.") and (".services." in name or "api_core" in name)]
assert not heavy, heavy
"""


def _run(*code: str) -> None:
    subprocess.run((sys.executable, "-c", "\n".join(code)), check=True)  # noqa: S603 - our own words


def test_the_packages_are_whole_after_the_adapters() -> None:
    """Importing only the messages first takes nothing from who wants the client later; the types are the same."""
    _run(ADAPTERS, PACKAGES, SAME)


def test_the_adapters_use_packages_that_are_there() -> None:
    """Where a client package was imported first, its own types are used."""
    _run(PACKAGES, ADAPTERS, SAME)


def test_the_adapters_load_no_client() -> None:
    """A function pays for messages and gRPC, not for clients it never calls."""
    _run(ADAPTERS, LIGHT)
