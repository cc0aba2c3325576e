"""Our services in a process of their own, spoken to by Google's unmodified clients."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import grpc
from google.cloud import kms_v1, scheduler_v1, tasks_v2
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from emulators.addresses import LOOPBACK, Leases
from shared.clock import SettableClock
from tests.emulator.services.doors import Door
from tests.emulator.services.patience import PATIENCE_SECONDS, eventually

Client: TypeAlias = Any
"""One of Google's clients. Their static types know neither dicts as messages nor the times that messages answer."""


class Services:
    """A running `python -m emulators.services`."""

    def __init__(self, home: Path, doors_url: str) -> None:
        self.home = home
        self.state_file = home / "services.json"
        self.clock = SettableClock(home / "clock")
        self._doors_url = doors_url
        self._leases = Leases(home)
        self._grpc_port, self._http_port = self._leases.lease(), self._leases.lease()
        self._partners_port = self._leases.lease()
        self.url = f"http://{LOOPBACK}:{self._http_port}"
        self.process = self._start()
        self.channel = grpc.insecure_channel(f"{LOOPBACK}:{self._grpc_port}")

    def _start(self) -> "subprocess.Popen[str]":
        ports = ("--grpc-port", str(self._grpc_port), "--http-port", str(self._http_port))
        ports += ("--partners-port", str(self._partners_port))
        files = ("--state-file", str(self.state_file), "--clock", str(self.home / "clock"))
        process = subprocess.Popen(  # noqa: S603 - our own program
            (sys.executable, "-m", "emulators.services", *ports, *files, "--doors-url", self._doors_url),
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.communicate()

    def restart(self) -> None:
        """Start again with the same ports and files."""
        self.channel.close()
        self.process = self._start()
        self.channel = grpc.insecure_channel(f"{LOOPBACK}:{self._grpc_port}")

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self.channel.close()
        self.process.terminate()
        self.process.communicate()
        self._leases.close()
        return self.process.returncode

    def advance(self, **by: int) -> None:
        """Move the shared clock forward."""
        self.clock.advance(timedelta(**by))

    def ask(self, path: str, body: Any = None) -> Any:
        """A GET, or a POST of JSON, on the HTTP side."""
        content = None if body is None else json.dumps(body).encode()
        status, answer = self.post(path, content) if content else (200, _read(f"{self.url}{path}"))
        assert status == 200
        return json.loads(answer)

    def post(self, path: str, content: bytes) -> tuple[int, bytes]:
        """Status and body of a POST on the HTTP side."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.url}{path}", content, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - as above
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def wait_until_idle(self) -> dict[str, Any]:
        """The counts, once nothing is due and nothing runs."""
        answer: dict[str, Any] = eventually(lambda: (counts := self.ask("/admin/idle"))["idle"] and counts)
        return answer

    @property
    def tasks(self) -> Client:
        """Google's client of Cloud Tasks."""
        return tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=self.channel))

    @property
    def kms(self) -> Client:
        """Google's client of Cloud KMS."""
        transport = KeyManagementServiceGrpcTransport(channel=self.channel)
        return kms_v1.KeyManagementServiceClient(transport=transport)

    @property
    def scheduler(self) -> Client:
        """Google's client of Cloud Scheduler."""
        return scheduler_v1.CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=self.channel))


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as response:  # noqa: S310 - our own loopback address
        body: bytes = response.read()
        return body


@dataclass(slots=True)
class TasksBench:
    """A queue of the test's own, and what a test does with it."""

    client: Client
    door: Door
    parent: str
    queue: str

    def open(self, **settings: Any) -> None:
        """Make the queue; the test's door is where its tasks go."""
        self.client.create_queue(parent=self.parent, queue={"name": self.queue, **settings})

    def create(self, name: str = "", **changes: Any) -> Any:
        """Put a task into the queue; `changes` are fields of the task, `http_request` is merged."""
        request = {"url": self.door.url, "body": b"{}"} | changes.pop("http_request", {})
        task = {"http_request": request} | changes
        if name:
            task["name"] = f"{self.queue}/tasks/{name}"
        return self.client.create_task(parent=self.queue, task=task)
