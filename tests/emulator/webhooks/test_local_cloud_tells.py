"""The whole way on the local cloud: door, outbox, Pub/Sub, fan-out, Cloud Tasks and a receiver that is busy first."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from queue import Queue
from socket import socket
from typing import Any

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from emulators.cloud import LocalCloud
from tests.emulator.offices import a_tenant
from tests.unit.webhooks.receivers import OK, receiving

DOORS = ("tenants", "webhook_endpoints", "fan_out_webhooks", "deliver_webhook")
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
SECONDS = 60


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """A cloud with the doors that webhooks pass."""
    with LocalCloud(tmp_path, DOORS) as cloud:
        yield cloud


def post(cloud: LocalCloud, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    """A request of a client's."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"test{path}{body.get('url', '')}"}
    answer = requests.post(cloud.doors_url + path, json=body, headers=headers, timeout=SECONDS)
    assert answer.status_code in {200, 201}, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_what_happens_is_told_and_told_again_until_it_is_taken(cloud: LocalCloud) -> None:
    """One endpoint hears that the other was disabled: at the second attempt, which waits for the cloud's clock."""
    heard: Queue[bytes] = Queue()
    answers = [BUSY, OK]

    def speak(line: socket, request: bytes) -> None:
        line.sendall(answers.pop(0))
        heard.put(request)

    key = post(cloud, "/v1/tenants", cloud.platform_key, a_tenant())["owner_key"]
    with receiving(speak) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/hooks"
        endpoint = post(cloud, "/v1/webhook_endpoints", key, {"url": url})
        other = post(cloud, "/v1/webhook_endpoints", key, {"url": "https://erp.example.com/"})
        post(cloud, f"/v1/webhook_endpoints/{other['id']}/disable", key, {})
        first = heard.get(timeout=SECONDS)
        cloud.wait_until_idle()
        cloud.clock.advance(timedelta(seconds=6))
        second = heard.get(timeout=SECONDS)
    verify = Webhook(endpoint["secret"]).verify
    told = [verify(body, fields) for fields, body in map(parts, (first, second))]
    assert told[0] == told[1]
    assert (told[0]["type"], told[0]["data"]["id"]) == ("webhook_endpoint.disabled", other["id"])
    assert parts(first)[0]["webhook-id"] == parts(second)[0]["webhook-id"]
    assert json.loads(parts(first)[1])["data"]["because"] == "asked"


def parts(request: bytes) -> tuple[dict[str, str], bytes]:
    """A request's header fields and its body."""
    head, body = request.split(b"\r\n\r\n", 1)
    return dict(row.split(": ", 1) for row in head.decode().split("\r\n")[1:]), body
