"""The house's queue and key, spoken to our services."""

import json
from datetime import timedelta
from typing import Any

import grpc
import pytest

from emulators.addresses import LOOPBACK
from shared import counters
from shared.events import Command
from shared.faults import Retryable
from shared.gcp.kms import HOST, KmsKeys
from shared.gcp.patience import Patience
from shared.gcp.rpc import Method, Rpc, RpcFailed
from shared.gcp.tasks import TasksQueue
from shared.identity import StoredId, TenantId
from shared.keys import KeyDestroyed
from shared.settings import Settings
from tests.emulator.services.doors import Street
from tests.emulator.services.rig import Services, TasksBench

IMPATIENT = Patience(total_seconds=1, jitter=lambda: 0)


def a_command(name: str, bench: TasksBench, **changes: Any) -> Command:
    """A command to the test's own door on the test's own queue."""
    values: dict[str, Any] = {
        "id": StoredId(name),
        "tenant": TenantId("acme"),
        "door": bench.door.url.rpartition("/")[2],
        "queue": bench.queue.rpartition("/")[2],
        "body": {"payment": "pay_1", "amount": 1050},
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    return Command(**(values | changes))


@pytest.fixture
def settings(services: Services, street: Street, location: str) -> Settings:
    """Settings of the test's own project, with a key's name."""
    project = location.split("/")[1]
    endpoint = f"{LOOPBACK}:{services._grpc_port}"
    return Settings(
        project=project,
        region="europe-west2",
        database="(default)",
        keysets_database="keysets",
        kms_key=f"{location}/keyRings/daybook/cryptoKeys/personal-data",
        doors_url=street.url,
        oidc_issuer=services.url,
        oidc_jwks_url=f"{services.url}/jwks",
        callers_domain=f"{project}.iam.gserviceaccount.com",
        tasks_endpoint=endpoint,
        kms_endpoint=endpoint,
    )


# --- the queue ---------------------------------------------------------------------------


@pytest.fixture
def queue(settings: Settings, bench: TasksBench) -> TasksQueue:
    """The house's queue, open."""
    bench.open()
    return TasksQueue(settings)


def test_a_command_arrives_at_its_door(queue: TasksQueue, bench: TasksBench) -> None:
    """The door hears id, tenant and body as JSON, with the trace and a token for its own address."""
    queue.enqueue(a_command("first", bench))
    hit = bench.door.wait_for(1)[0]
    assert json.loads(hit.body) == {"id": "first", "tenant": "acme", "body": {"payment": "pay_1", "amount": 1050}}
    assert hit.method == "POST"
    assert hit.headers["Content-Type"] == "application/json"
    assert hit.headers["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c")
    assert hit.headers["X-CloudTasks-TaskName"] == "first"
    assert hit.headers["Authorization"].startswith("Bearer ")


def test_the_token_names_the_caller_and_the_door(
    settings: Settings, queue: TasksQueue, bench: TasksBench, services: Services
) -> None:
    """The audience is the door's address, the account the one that the catalogue lets in."""
    services.tasks.pause_queue(name=bench.queue)
    queue.enqueue(a_command("first", bench))
    token = services.tasks.get_task(
        request={"name": f"{bench.queue}/tasks/first", "response_view": 2}
    ).http_request.oidc_token
    assert token.audience == bench.door.url
    assert token.service_account_email == f"daybook-tasks@{settings.callers_domain}"


def test_a_command_told_twice_is_one_task(queue: TasksQueue, bench: TasksBench, services: Services) -> None:
    """The second telling is done already, which is no error."""
    services.tasks.pause_queue(name=bench.queue)
    queue.enqueue(a_command("first", bench))
    queue.enqueue(a_command("first", bench))
    assert len(list(services.tasks.list_tasks(parent=bench.queue))) == 1


def test_a_command_waits_for_its_time(queue: TasksQueue, bench: TasksBench, services: Services) -> None:
    """Not before its instant, by the shared clock."""
    at = services.clock.now() + timedelta(hours=2)
    queue.enqueue(a_command("later", bench, not_before=at))
    assert services.tasks.get_task(name=f"{bench.queue}/tasks/later").schedule_time == at
    assert not bench.door.hits
    services.advance(hours=3)
    bench.door.wait_for(1)


def test_a_task_is_counted(queue: TasksQueue, bench: TasksBench) -> None:
    """One command, one call, one task."""
    operations = counters.begin()
    queue.enqueue(a_command("first", bench))
    assert (operations.rpcs, operations.tasks) == (1, 1)


def test_a_command_holds_no_float(queue: TasksQueue, bench: TasksBench) -> None:
    """A fraction would lose cents on its way."""
    with pytest.raises(TypeError):
        queue.enqueue(a_command("first", bench, body={"lines": [{"rate": 0.1}]}))


def test_a_queue_that_does_not_answer_is_retryable(settings: Settings, bench: TasksBench) -> None:
    """Nobody at the endpoint: the row stays for the sweep."""
    queue = TasksQueue(settings, rpc=Rpc("", "127.0.0.1:1", patience=IMPATIENT))
    with pytest.raises(Retryable):
        queue.enqueue(a_command("first", bench))


def test_a_queue_that_is_not_there_is_a_bug(settings: Settings, bench: TasksBench) -> None:
    """The catalogue and the code disagree: no try heals that."""
    with pytest.raises(RpcFailed):
        TasksQueue(settings).enqueue(a_command("first", bench))


# --- the key -----------------------------------------------------------------------------


class Noisy(Rpc):
    """The real line to the key, whose first answers arrive changed."""

    def __init__(self, endpoint: str, field: str, times: int) -> None:
        super().__init__(HOST, endpoint, patience=IMPATIENT)
        self.field, self.times = field, times

    def send(self, method: Method, request: Any, timeout_seconds: float) -> Any:
        """Change what came back, as often as was asked for."""
        answer = super().send(method, request, timeout_seconds)
        if self.times > 0:
            self.times -= 1
            value = getattr(answer, self.field)
            setattr(answer, self.field, not value if isinstance(value, bool) else value + b"!")
        return answer


@pytest.fixture
def keys(settings: Settings, services: Services, location: str) -> KmsKeys:
    """The house's key, made."""
    ring = f"{location}/keyRings/daybook"
    services.kms.create_key_ring(parent=location, key_ring_id="daybook", key_ring={})
    services.kms.create_crypto_key(parent=ring, crypto_key_id="personal-data", crypto_key={"purpose": 1})
    return KmsKeys(settings)


def test_what_was_wrapped_is_unwrapped(keys: KmsKeys) -> None:
    """The plaintext comes back for the same associated data."""
    wrapped = keys.encrypt(b"secret", b"tenant")
    assert b"secret" not in wrapped
    assert keys.decrypt(wrapped, b"tenant") == b"secret"
    assert keys.decrypt(keys.encrypt(b"", b""), b"") == b""


def test_other_associated_data_does_not_open(keys: KmsKeys) -> None:
    """What was wrapped for one tenant does not open for another."""
    with pytest.raises(KeyDestroyed):
        keys.decrypt(keys.encrypt(b"secret", b"acme"), b"globex")


def test_a_changed_ciphertext_does_not_open(keys: KmsKeys) -> None:
    """A flipped bit is found."""
    with pytest.raises(KeyDestroyed):
        keys.decrypt(keys.encrypt(b"secret", b"")[:-1] + b"?", b"")


@pytest.mark.parametrize("end", ["disable", "destroy"])
def test_a_key_that_ended_opens_nothing(settings: Settings, keys: KmsKeys, services: Services, end: str) -> None:
    """Disabled or destroyed, the version wraps and unwraps no more."""
    wrapped = keys.encrypt(b"secret", b"")
    version = f"{settings.kms_key}/cryptoKeyVersions/1"
    if end == "destroy":
        services.kms.destroy_crypto_key_version(name=version)
    else:
        disabled = {"name": version, "state": 2}
        services.kms.update_crypto_key_version(crypto_key_version=disabled, update_mask={"paths": ["state"]})
    with pytest.raises(KeyDestroyed):
        keys.decrypt(wrapped, b"")
    with pytest.raises(KeyDestroyed):
        keys.encrypt(b"secret", b"")


@pytest.mark.parametrize("field", ["ciphertext", "verified_plaintext_crc32c"])
def test_a_damaged_wrapping_is_asked_for_again(settings: Settings, keys: KmsKeys, field: str) -> None:
    """An answer whose checksum is wrong is thrown away, for it could never be opened."""
    noisy = KmsKeys(settings, rpc=Noisy(settings.kms_endpoint, field, times=2))
    assert keys.decrypt(noisy.encrypt(b"secret", b""), b"") == b"secret"


def test_a_damaged_unwrapping_is_asked_for_again(settings: Settings, keys: KmsKeys) -> None:
    """As with wrapping."""
    noisy = KmsKeys(settings, rpc=Noisy(settings.kms_endpoint, "plaintext", times=2))
    assert noisy.decrypt(keys.encrypt(b"secret", b""), b"") == b"secret"


def test_damage_that_lasts_is_retryable(settings: Settings, keys: KmsKeys) -> None:
    """A line that never brings a sound answer is met later."""
    noisy = KmsKeys(settings, rpc=Noisy(settings.kms_endpoint, "plaintext", times=100))
    with pytest.raises(Retryable):
        noisy.decrypt(keys.encrypt(b"secret", b""), b"")


def test_key_operations_are_counted(keys: KmsKeys) -> None:
    """Each wrapping and unwrapping is one, as Google bills them."""
    operations = counters.begin()
    keys.decrypt(keys.encrypt(b"secret", b""), b"")
    assert (operations.rpcs, operations.kms) == (2, 2)


def test_a_key_without_service_is_retryable(settings: Settings) -> None:
    """Silence is no verdict on the key."""
    with pytest.raises(Retryable):
        KmsKeys(settings, rpc=Rpc("", "127.0.0.1:1", patience=IMPATIENT)).encrypt(b"", b"")


def test_a_refusal_that_no_try_heals_is_a_bug(settings: Settings) -> None:
    """A key that was never made is a mistake in the settings, not a key that ended."""
    with pytest.raises(RpcFailed) as caught:
        KmsKeys(settings).encrypt(b"", b"")
    assert caught.value.status is grpc.StatusCode.NOT_FOUND
