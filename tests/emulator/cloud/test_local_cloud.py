import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.pubsub_v1 import PublisherClient, PubsubMessage, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from emulators.cloud import LocalCloud
from emulators.provision import channel, job_name, scheduler_client
from emulators.state import AlreadyUp, Home
from tests.emulator.cloud.example_doors import Eventually, ExampleDoors

pytestmark = pytest.mark.emulator


def _ask(cloud: LocalCloud, path: str) -> dict[str, str]:
    answer = requests.post(cloud.doors_url + path, json={}, timeout=10)
    assert answer.status_code == 200
    told: dict[str, str] = answer.json()
    return told


def test_a_public_door_sees_the_whole_path(cloud: LocalCloud) -> None:
    """Locally and behind the load balancer a door is asked for the same path."""
    told = _ask(cloud, "/v1/ledger/accounts/1200/freeze")
    assert (told["door"], told["path"], told["root"]) == ("accounts", "/v1/ledger/accounts/1200/freeze", "")


def test_a_private_door_answers_under_its_name_without_a_redirect(cloud: LocalCloud) -> None:
    """A dispatcher that posts to /{door} is answered at once."""
    assert _ask(cloud, "/prove_ledger")["path"] == "/prove_ledger"


def test_an_unknown_path_is_a_problem(cloud: LocalCloud) -> None:
    """No door takes what belongs to none."""
    answer = requests.get(cloud.doors_url + "/v1/nothing", timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_doors_live_in_this_cloud(cloud: LocalCloud) -> None:
    """A door's environment is the cloud's."""
    assert _ask(cloud, "/v1/tenants")["project"] == cloud.settings().project


def test_queues_are_as_the_catalogue_says(cloud: LocalCloud) -> None:
    """Google's own client finds every queue with its rates and retries."""
    settings = cloud.settings()
    parent = f"projects/{settings.project}/locations/{settings.region}"
    transport = CloudTasksGrpcTransport(channel=channel(settings.tasks_endpoint))
    with tasks_v2.CloudTasksClient(transport=transport) as client:
        found = {queue.name.rpartition("/")[2]: queue for queue in client.list_queues(parent=parent)}
    assert set(found) == {queue.name for queue in cloud.catalogue.queues}
    for queue in cloud.catalogue.queues:
        retry = found[queue.name].retry_config
        assert found[queue.name].rate_limits.max_concurrent_dispatches == queue.max_concurrent_dispatches
        assert (retry.max_attempts, retry.max_doublings) == (queue.max_attempts, queue.max_doublings)


def test_an_announcement_reaches_its_door_with_a_token(
    cloud: LocalCloud, doors: ExampleDoors, eventually: Eventually
) -> None:
    """Pub/Sub pushes through the relay, which signs; the body arrives as a push with its subscription."""
    settings = cloud.settings()
    topic = f"projects/{settings.project}/topics/payments"
    with PublisherClient(transport=PublisherGrpcTransport(channel=channel(settings.pubsub_endpoint))) as client:
        client.publish(topic=topic, messages=[PubsubMessage(data=b"{}", attributes={"id": "told-once"})])
    eventually(lambda: any("told-once" in line for line in doors.told()), "the push")
    (told,) = [json.loads(line) for line in doors.told() if "told-once" in line]
    assert told["door"] == "issue_receipt"
    assert told["token"].startswith("Bearer ey")
    assert json.loads(told["body"])["subscription"].endswith("/subscriptions/issue-receipt")


def test_a_fired_job_calls_its_door(cloud: LocalCloud, doors: ExampleDoors, eventually: Eventually) -> None:
    """Cloud Scheduler's RunJob posts to the door with a token."""
    with scheduler_client(cloud.settings().tasks_endpoint) as client:
        client.run_job(name=job_name(cloud.settings(), "prove-ledgers"))
    eventually(lambda: any("start_ledger_proofs" in line for line in doors.told()), "the job's call")
    cloud.wait_until_idle()


def test_dead_letters_have_a_place_to_wait(cloud: LocalCloud) -> None:
    """What a door never takes is kept for an operator."""
    settings = cloud.settings()
    name = f"projects/{settings.project}/subscriptions/issue-receipt"
    with SubscriberClient(transport=SubscriberGrpcTransport(channel=channel(settings.pubsub_endpoint))) as client:
        policy = client.get_subscription(subscription=name).dead_letter_policy
        kept = client.get_subscription(subscription=f"{name}-dead")
    assert policy.max_delivery_attempts == 20
    assert kept.topic == policy.dead_letter_topic


def test_a_killed_worker_is_replaced(cloud: LocalCloud, eventually: Eventually) -> None:
    """The master starts another; the host never stops answering for good."""
    worker = int(_ask(cloud, "/v1/tenants")["worker"])
    master = cloud.host_pid
    os.kill(worker, signal.SIGKILL)

    def serves_without_it() -> bool:
        try:
            return int(_ask(cloud, "/v1/tenants")["worker"]) != worker
        except requests.ConnectionError:
            return False

    eventually(serves_without_it, "another worker")
    assert cloud.host_pid == master


def test_a_killed_host_comes_back_on_its_port(
    cloud: LocalCloud, eventually: Eventually, gone: Callable[[int], bool]
) -> None:
    """Kill -9 takes master and workers; afterwards the same address answers again."""
    worker = int(_ask(cloud, "/v1/tenants")["worker"])
    url, killed = cloud.doors_url, cloud.host_pid
    cloud.kill_host()
    eventually(lambda: gone(killed) and gone(worker), "the end of the whole group")
    with pytest.raises(requests.ConnectionError):
        _ask(cloud, "/v1/tenants")
    cloud.tend()
    with pytest.raises(requests.ConnectionError):
        _ask(cloud, "/v1/tenants")
    cloud.start_host()
    assert (cloud.doors_url, _ask(cloud, "/v1/tenants")["door"]) == (url, "tenants")


def test_a_host_that_died_by_itself_is_started_again(cloud: LocalCloud) -> None:
    """Tending brings back what nobody killed on purpose."""
    died = cloud.host_pid
    os.killpg(died, signal.SIGKILL)
    while cloud.host_pid == died:
        cloud.tend()
    assert _ask(cloud, "/v1/tenants")["door"] == "tenants"


def test_two_clouds_at_once_share_nothing(
    cloud: LocalCloud, write_doors: Callable[[], ExampleDoors], tmp_path: Path, gone: Callable[[int], bool]
) -> None:
    """Other ports, other clock, other secrets; and the end of one leaves the other up and no process behind."""
    doors = write_doors()
    with LocalCloud(tmp_path / "other", ["tenants"], doors.root) as other:
        first, second = cloud.home.running(), other.home.running()
        assert first
        assert second
        assert not set(first.ports.values()) & set(second.ports.values())
        assert cloud.platform_key != other.platform_key
        _ask(other, "/v1/tenants")
        assert len(doors.told()) == 1
        pids = [process.pid for process in second.processes.values()]
    assert all(gone(pid) for pid in pids)
    assert other.home.running() is None
    assert _ask(cloud, "/v1/tenants")["door"] == "tenants"


def test_one_home_holds_one_cloud(cloud: LocalCloud, doors: ExampleDoors) -> None:
    """A second cloud in the same folder is refused and the first goes on."""
    with pytest.raises(AlreadyUp):
        LocalCloud(cloud.home_path, doors.names, doors.root).start()
    assert Home(cloud.home_path).running()
    assert _ask(cloud, "/v1/tenants")["door"] == "tenants"
