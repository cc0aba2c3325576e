"""Named secrets: a folder's, and those of a server that answers as Secret Manager does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import google_crc32c
import grpc
import pytest
from google.cloud.secretmanager_v1 import (
    AccessSecretVersionRequest,
    AccessSecretVersionResponse,
    ListSecretVersionsRequest,
    ListSecretVersionsResponse,
)

from shared.clock import SettableClock
from shared.faults import Retryable
from shared.gcp.rpc import Rpc
from shared.gcp.secrets import FRESH_SECONDS, FileSecrets, SecretManagerSecrets
from shared.keys import SecretMissing
from shared.settings import Settings, read_settings


@pytest.fixture
def clock(tmp_path: Path) -> SettableClock:
    """A clock of the test's own."""
    return SettableClock(tmp_path / "clock")


# --- files -------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of secrets with one in it."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    folder.joinpath("request-hash").write_text("newest\n\n older \n", encoding="utf-8")
    return folder


def test_a_file_holds_one_value_a_line_newest_first(folder: Path, clock: SettableClock) -> None:
    """Blank lines and the space around a value are no part of it."""
    assert FileSecrets(folder, clock).versions("request-hash") == (b"newest", b"older")


def test_a_new_value_is_in_force_when_the_old_one_is_forgotten(folder: Path, clock: SettableClock) -> None:
    """Values are remembered for a stated time of the house's clock, and no longer."""
    secrets = FileSecrets(folder, clock)
    secrets.versions("request-hash")
    folder.joinpath("request-hash").write_text("new\n", encoding="utf-8")
    clock.advance(timedelta(seconds=FRESH_SECONDS - 10))
    assert secrets.versions("request-hash") == (b"newest", b"older")
    clock.advance(timedelta(seconds=10))
    assert secrets.versions("request-hash") == (b"new",)


@pytest.mark.parametrize("name", ["absent", "empty", "../request-hash", "a/b", "", ".", "name\n"])
def test_what_is_no_secret_is_missing(folder: Path, clock: SettableClock, name: str) -> None:
    """No file, nothing in it, or a name that leads elsewhere."""
    folder.joinpath("empty").write_text("\n", encoding="utf-8")
    with pytest.raises(SecretMissing):
        FileSecrets(folder, clock).versions(name)


# --- Secret Manager ----------------------------------------------------------------------


@dataclass(slots=True)
class Service:
    """Answers as Secret Manager does: enabled versions by name, newest first, each with its checksum."""

    values: dict[str, bytes] = field(default_factory=dict)
    damage: bytes = b""
    denied: bool = False
    calls: int = 0

    def list(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The versions of a secret that has any."""
        self.calls += 1
        if self.denied:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "denied on resource (or it may not exist)")
        assert request.filter == "state:ENABLED"
        names = sorted((name for name in self.values if name.startswith(f"{request.parent}/")), reverse=True)
        if not request.parent.endswith("/known") and not names:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such secret")
        return ListSecretVersionsResponse.pb()(versions=[{"name": name} for name in names])

    def access(self, request: Any, _: grpc.ServicerContext) -> Any:
        """One value."""
        value = self.values[request.name]
        payload = {"data": value + self.damage, "data_crc32c": google_crc32c.value(value)}
        return AccessSecretVersionResponse.pb()(name=request.name, payload=payload)


@pytest.fixture
def service() -> Service:
    """What is known."""
    return Service()


@pytest.fixture
def cloud(service: Service, clock: SettableClock) -> Iterator[SecretManagerSecrets]:
    """The house's secrets, at the end of a real line to the service."""
    handlers = {
        "ListSecretVersions": _handler(service.list, ListSecretVersionsRequest),
        "AccessSecretVersion": _handler(service.access, AccessSecretVersionRequest),
    }
    name = "google.cloud.secretmanager.v1.SecretManagerService"
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield SecretManagerSecrets(_settings(), clock, rpc=Rpc("", f"127.0.0.1:{port}"))
    server.stop(None)


def _handler(answer: Any, request: Any) -> "grpc.RpcMethodHandler[Any, Any]":
    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=request.pb().FromString, response_serializer=lambda each: each.SerializeToString()
    )


def _settings() -> Settings:
    names = ("PROJECT", "REGION", "KMS_KEY", "DOORS_URL")
    return read_settings({f"DAYBOOK_{name}": "p" for name in names})


def test_every_enabled_version_is_a_live_value(service: Service, cloud: SecretManagerSecrets) -> None:
    """Newest first; another secret's are not among them."""
    service.values = {
        "projects/p/secrets/known/versions/1": b"older",
        "projects/p/secrets/known/versions/2": b"newest",
        "projects/p/secrets/other/versions/1": b"another",
    }
    assert cloud.versions("known") == (b"newest", b"older")


def test_values_are_remembered(service: Service, cloud: SecretManagerSecrets, clock: SettableClock) -> None:
    """Within the stated time the service is asked once."""
    service.values = {"projects/p/secrets/known/versions/1": b"value"}
    assert cloud.versions("known") == cloud.versions("known")
    assert service.calls == 1
    clock.advance(timedelta(seconds=FRESH_SECONDS))
    cloud.versions("known")
    assert service.calls == 2


@pytest.mark.parametrize("name", ["known", "unknown", "../known"])
def test_a_secret_without_live_value_is_missing(cloud: SecretManagerSecrets, name: str) -> None:
    """None enabled, none made, or no name of one."""
    with pytest.raises(SecretMissing):
        cloud.versions(name)


def test_a_secret_that_this_door_may_not_read_is_missing(service: Service, cloud: SecretManagerSecrets) -> None:
    """Secret Manager does not tell a stranger whether there is one."""
    service.denied = True
    with pytest.raises(SecretMissing):
        cloud.versions("known")


def test_a_damaged_value_is_never_used(service: Service, cloud: SecretManagerSecrets) -> None:
    """A value whose checksum is wrong is asked for later."""
    service.values, service.damage = {"projects/p/secrets/known/versions/1": b"value"}, b"!"
    with pytest.raises(Retryable):
        cloud.versions("known")
