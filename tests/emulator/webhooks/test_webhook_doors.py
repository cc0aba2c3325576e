"""A tenant's way through the doors, on the real emulator: endpoints made, changed and read, messages really sent."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from shared.clock import SystemClock
from shared.identity import Cause
from shared.limits import WEBHOOK_ENDPOINTS, WEBHOOK_SECRETS
from shared.settings import Settings
from shared.webhooks.use_cases.sending import Order
from shared.wiring import house
from tests.builders import ACME, a_call
from tests.emulator.instances import Fate, Post
from tests.emulator.offices import Answer, Office, open_office
from tests.unit.webhooks.parts import an_announcement
from tests.unit.webhooks.receivers import receiving, say

PATH = "/v1/webhook_endpoints"


@pytest.fixture
def office(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An empty platform on a laptop that may be told webhooks itself."""
    office = open_office(replace(settings, webhooks_to_loopback=True), monkeypatch)
    post = Post(Fate())
    office.house.__dict__.update(queue=post, bus=post)
    yield office
    house.cache_clear()


@pytest.fixture
def owner(office: Office) -> str:
    """The key of a tenant's owner."""
    return office.create_tenant()


def an_endpoint(**changes: object) -> dict[str, object]:
    """A body that makes an endpoint."""
    return {"url": "https://erp.example.com/hooks", "filters": ["payment.*"], "description": "ERP"} | changes


def made(office: Office, key: str, **changes: object) -> str:
    """The id of a new endpoint."""
    answer = office.post(PATH, an_endpoint(**changes), key)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def test_the_secret_is_shown_when_it_is_made_and_never_again(office: Office, owner: str) -> None:
    """Not when the same request comes again, not in what is read."""
    first, again = (office.post(PATH, an_endpoint(), owner, once="make-1") for _ in range(2))
    assert first.json["secret"].startswith("whsec_")
    assert again.json == first.json | {"secret": None}
    assert again.headers["Idempotency-Replayed"] == "true"
    path = f"{PATH}/{first.json['id']}"
    without = {name: value for name, value in first.json.items() if name != "secret"}
    assert office.get(path, owner).json == without
    assert office.get(PATH, owner).json["items"] == [without]
    rotated = [office.post(f"{path}/rotate_secret", {}, owner, once="rotate-1").json["secret"] for _ in range(2)]
    assert rotated[0].startswith("whsec_")
    assert rotated[1] is None
    assert "whsec_" not in office.get(path, owner).text


def test_an_endpoint_is_changed_in_what_is_named(office: Office, owner: str) -> None:
    """The rest stays; each change is a version."""
    path = f"{PATH}/{made(office, owner)}"
    changed = office.post(f"{path}/update", {"filters": ["*"]}, owner).json
    assert (changed["filters"], changed["url"], changed["version"]) == (["*"], "https://erp.example.com/hooks", 2)
    moved = office.post(f"{path}/update", {"url": "https://new.example.com:8443/h", "description": "new"}, owner).json
    assert (moved["filters"], moved["url"], moved["description"], moved["version"]) == (
        ["*"],
        "https://new.example.com:8443/h",
        "new",
        3,
    )


def test_disabling_and_enabling_are_done_once_each(office: Office, owner: str) -> None:
    """Whoever asks for what is so already is told that it is."""
    path = f"{PATH}/{made(office, owner)}"
    for _ in range(2):
        gone = office.post(f"{path}/disable", {}, owner).json
        assert (gone["state"], gone["disabled_because"], gone["version"]) == ("disabled", "asked", 2)
    for _ in range(2):
        back = office.post(f"{path}/enable", {}, owner).json
        assert (back["state"], back["disabled_because"], back["version"]) == ("enabled", None, 3)
    actions = {str(audit["action"]) for audit in office.documents("audit", ACME)}
    assert actions >= {"webhook_endpoint.create", "webhook_endpoint.disable", "webhook_endpoint.enable"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "http://erp.example.com/"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": "https://user:pw@erp.example.com/"}, "url"),
        ({"url": ""}, "url"),
        ({"filters": []}, "filters"),
        ({"filters": ["payment*"]}, "filters.0"),
        ({"filters": [f"a{number}" for number in range(21)]}, "filters"),
        ({"description": "x" * 201}, "description"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
def test_what_is_no_endpoint_is_refused(office: Office, owner: str, changes: dict[str, object], field: str) -> None:
    """When it is made and when it is changed; nothing is written."""
    answer = office.post(PATH, an_endpoint(**changes), owner)
    assert (answer.status_code, answer.json["field"]) == (422, field)
    assert office.documents("webhook_endpoints", ACME) == []
    changed = office.post(f"{PATH}/{made(office, owner)}/update", changes, owner)
    assert (changed.status_code, changed.json["field"]) == (422, field)


def test_only_so_many_endpoints_are_enabled(office: Office, owner: str) -> None:
    """Also when two are made at once; a disabled one makes room."""
    endpoints = [made(office, owner) for _ in range(WEBHOOK_ENDPOINTS - 1)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: office.post(PATH, an_endpoint(), owner), range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    office.post(f"{PATH}/{endpoints[0]}/disable", {}, owner)
    made(office, owner)
    refused = office.post(f"{PATH}/{endpoints[0]}/enable", {}, owner)
    assert refused.json["code"] == "too_many_webhook_endpoints"


def test_only_so_many_secrets_are_live(office: Office, owner: str) -> None:
    """Until the old ones end, a day later."""
    path = f"{PATH}/{made(office, owner)}/rotate_secret"
    answers = [office.post(path, {}, owner).status_code for _ in range(WEBHOOK_SECRETS)]
    assert answers == [200] * (WEBHOOK_SECRETS - 1) + [409]
    office.clock.advance(86_400)
    assert office.post(path, {}, owner).status_code == 200


def test_another_tenant_finds_nothing(office: Office, owner: str) -> None:
    """Knowing the id is no key."""
    path = f"{PATH}/{made(office, owner)}"
    rival = office.create_tenant("rival")
    assert office.get(path, rival).status_code == 404
    for verb in ("update", "disable", "enable", "rotate_secret"):
        assert office.post(f"{path}/{verb}", {}, rival).json["code"] == "unknown_webhook_endpoint"
    assert office.get(f"{path}/deliveries", rival).json == {"items": [], "next_cursor": None}


def test_an_auditor_reads_and_changes_nothing(office: Office, owner: str) -> None:
    """Who is told what is the owner's to say."""
    path = f"{PATH}/{made(office, owner)}"
    auditor = office.post("/v1/api_keys", {"principal": "user:bob", "role": "auditor"}, owner).json["key"]
    assert office.get(path, auditor).status_code == 200
    for verb in ("/disable", "/rotate_secret", "/resends"):
        assert office.post(path + verb, {}, auditor).status_code == 403


def tell_and_attempt(office: Office, key: str, attempts: int = 1) -> None:
    """An announcement is brought by the bus, and its attempts by the queue."""
    rooms = office.house
    told = an_announcement(key)
    call = a_call(at=office.clock.now(), cause=Cause("system", "fan_out_payments", told.id))
    rooms.webhooks.fan_out.tell(call, told)
    for _ in range(attempts):
        post: Post = rooms.queue  # type: ignore[assignment]  # the test's own queue
        body = list(post.tasks.values())[-1].body
        order = Order(str(body["delivery"]), str(body["endpoint"]), str(body["message"]), int(str(body["number"])))
        rooms.webhooks.sending.attempt(a_call(at=office.clock.now()), order)


def page(office: Office, path: str, key: str) -> Answer:
    """A page of a list."""
    answer = office.get(path, key)
    assert answer.status_code == 200, answer.text
    return answer


def test_the_log_is_listed_by_state_newest_first_and_read_with_its_attempts(office: Office, owner: str) -> None:
    """Over a real connection to a receiver that says 503, then 200."""
    with receiving(say(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy")) as receiver:
        path = f"{PATH}/{made(office, owner, url=f'http://127.0.0.1:{receiver.port}/hooks')}"
        tell_and_attempt(office, "one")
        receiver.speak = say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        for number in range(3):
            office.clock.advance(60)
            tell_and_attempt(office, f"more-{number}")
    first = page(office, f"{path}/deliveries?limit=3", owner).json
    second = page(office, f"{path}/deliveries?limit=3&cursor={first['next_cursor']}", owner).json
    states = [item["state"] for item in first["items"] + second["items"]]
    assert states == ["delivered"] * 3 + ["pending"]
    assert second["next_cursor"] is None
    (pending,) = page(office, f"{path}/deliveries?state=pending", owner).json["items"]
    assert (pending["attempts"], pending["last_status"], pending["trouble"]) == (1, 503, "status")
    read = page(office, f"{path}/deliveries/{pending['id']}", owner)
    (attempt,) = read.json["log"]
    assert read.json == pending | {"log": [attempt]}
    assert (attempt["number"], attempt["status"], attempt["trouble"]) == (1, 503, "status")
    assert "busy" not in read.text
    again = office.post(f"{path}/deliveries/{pending['id']}/resend", {}, owner)
    assert (again.status_code, again.json["state"], again.json["attempts"]) == (200, "pending", 1)


def test_a_receiver_verifies_what_really_arrives(office: Office, owner: str) -> None:
    """Head and body from the socket, judged by the specification's own library; its clock is the machine's."""
    office.clock.at = SystemClock().now()
    with receiving(say(b"HTTP/1.1 204 No Content\r\n\r\n")) as receiver:
        answer = office.post(PATH, an_endpoint(url=f"http://127.0.0.1:{receiver.port}/hooks?k=v"), owner)
        tell_and_attempt(office, "one")
    head, body = receiver.requests[0].split(b"\r\n\r\n", 1)
    first, *rest = head.decode().split("\r\n")
    assert first == "POST /hooks?k=v HTTP/1.1"
    told = Webhook(answer.json["secret"]).verify(body, dict(row.split(": ", 1) for row in rest))
    assert told == json.loads(body)
    assert told["data"]["id"] == "payment-1"


def test_a_range_is_asked_for_and_looked_at(office: Office, owner: str) -> None:
    """Instants with a zone; without one they are no instants."""
    path = f"{PATH}/{made(office, owner)}"
    until = office.clock.now()
    body = {"since": (until - timedelta(days=1)).isoformat(), "until": "2026-11-16T13:00:00+01:00"}
    begun = office.post(f"{path}/resends", body, owner)
    assert (begun.status_code, begun.json["state"], begun.json["of_state"]) == (201, "running", "failed")
    assert office.get(f"{path}/resends/{begun.json['id']}", owner).json == begun.json
    naive = office.post(f"{path}/resends", body | {"until": "2026-11-16T12:00:00"}, owner)
    assert (naive.status_code, naive.json["field"]) == (422, "until")
