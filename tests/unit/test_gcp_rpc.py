"""Waiting, asking again and the way to Google's own services."""

import json
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.faults import Retryable
from shared.gcp.kms import _ENCRYPT
from shared.gcp.patience import Patience
from shared.gcp.rpc import ATTEMPTS, Method, Rpc, RpcFailed, routing

ASK = Method("/service/Ask", None, None)


class Time:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds

    def patience(self, **changes: Any) -> Patience:
        """A patience that lives in this time and always draws one half."""
        return Patience(**({"sleep": self.sleep, "jitter": lambda: 0.5, "monotonic": lambda: self.now} | changes))


class Line(Rpc):
    """A line on which every call fails in the same way, after some time."""

    def __init__(self, status: grpc.StatusCode, time: Time, *, seconds: float = 0, **patience: Any) -> None:
        super().__init__("", "127.0.0.1:1", patience=time.patience(**patience))
        self.status, self.time, self.seconds = status, time, seconds
        self.timeouts: list[float] = []

    def send(self, method: Method, request: Any, timeout_seconds: float) -> Any:  # noqa: ARG002 - nobody hears it
        """Fail."""
        self.timeouts.append(timeout_seconds)
        self.time.now += self.seconds
        raise RpcFailed(method, self.status, "")


def test_pauses_double_to_a_limit() -> None:
    """Each pause is drawn from twice the last one's range, up to the longest."""
    time = Time()
    deadline = time.patience(first_pause_seconds=0.1, longest_pause_seconds=0.5).start()
    assert all(deadline.pause() for _ in range(5))
    assert time.slept == [0.05, 0.1, 0.2, 0.25, 0.25]


def test_no_pause_outlasts_the_time_there_is() -> None:
    """When the pause would end too late, waiting is over at once."""
    time = Time()
    deadline = time.patience(total_seconds=1, first_pause_seconds=4, longest_pause_seconds=4).start()
    assert not deadline.pause()
    assert time.slept == []


@pytest.mark.parametrize(
    "status", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, grpc.StatusCode.DEADLINE_EXCEEDED]
)
def test_silence_is_asked_again_and_then_retryable(status: grpc.StatusCode) -> None:
    """A bounded number of tries."""
    line = Line(status, Time())
    with pytest.raises(Retryable):
        line.ask(ASK, None)
    assert len(line.timeouts) == ATTEMPTS


def test_all_tries_share_one_budget() -> None:
    """The last call gets what is left, and when nothing is left there is none."""
    line = Line(grpc.StatusCode.DEADLINE_EXCEEDED, Time(), seconds=5, total_seconds=12, first_pause_seconds=0)
    with pytest.raises(Retryable):
        line.ask(ASK, None)
    assert line.timeouts == [5, 5, 2]


def test_a_plain_no_is_not_asked_again() -> None:
    """An error that another try would not change is told at once."""
    line = Line(grpc.StatusCode.PERMISSION_DENIED, Time())
    with pytest.raises(RpcFailed):
        line.ask(ASK, None)
    assert len(line.timeouts) == 1


def test_a_request_says_where_it_goes() -> None:
    """The routing header names the field and its value, quoted as Google's clients do."""
    request = _ENCRYPT.request(name="projects/p/locations/l/keyRings/r/cryptoKeys/a b")
    assert routing(_ENCRYPT, request) == (
        "x-goog-request-params",
        "name=projects/p/locations/l/keyRings/r/cryptoKeys/a%20b",
    )


def test_without_endpoint_the_instances_credentials_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's own service is reached over TLS with the default credentials, found when the first call is made."""
    key = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    account = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "k",
        "private_key": key.decode(),
        "client_email": "daybook@p.iam.gserviceaccount.com",
        "token_uri": "https://127.0.0.1:1/token",
    }
    path = tmp_path / "account.json"
    path.write_text(json.dumps(account), encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    rpc = Rpc("127.0.0.1")
    assert callable(rpc._stub(_ENCRYPT))
    rpc.close()
