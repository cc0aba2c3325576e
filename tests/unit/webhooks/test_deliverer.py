"""What carries webhooks, over real sockets and real TLS: only the way to an address, and time, are the test's."""

import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from shared.internet.deliverer import ANSWER_BYTES, TOTAL_SECONDS, InternetDeliverer
from shared.internet.lines import Lines, dial, resolve
from shared.webhooks.model import Posting, Trouble
from shared.webhooks.rules.urls import Reach
from tests.unit.webhooks.receivers import LOOPBACK, OK, Authority, Receiver, receiving, say

HOST, PUBLIC, OTHER = "erp.example.com", "93.184.216.34", "93.184.216.35"
BODY = b'{"type":"payment.applied"}'


@dataclass
class World:
    """The internet: what names resolve to, and every address's way to one receiver on this machine."""

    authority: Authority
    port: int = 0
    answers: list[Sequence[str]] = field(default_factory=lambda: [(PUBLIC,)])
    asked: list[str] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)
    ticks: Iterator[float] = field(default_factory=lambda: iter(count(0, 0)))

    def resolve(self, host: str) -> Sequence[str]:
        """The next answer; the last one stays."""
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def dial(self, address: str, port: int) -> socket.socket:
        """Note who is called, and connect to the receiver."""
        self.dialled.append((address, port))
        return dial(LOOPBACK, self.port)

    def deliverer(self) -> InternetDeliverer:
        """A deliverer of this world."""
        lines = Lines(self.resolve, self.dial, self.authority.trust, lambda: next(self.ticks))
        return InternetDeliverer(Reach.INTERNET, lines)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An internet with one receiver."""
    return World(Authority(tmp_path))


@pytest.fixture
def receiver(world: World) -> Iterator[Receiver]:
    """The receiver, which is who it says it is and answers 204."""
    with receiving(say(OK), world.authority.serve(HOST)) as listening:
        world.port = listening.port
        yield listening


def a_posting(url: str = f"https://{HOST}/hooks?k=1") -> Posting:
    """A message."""
    return Posting(url, {"webhook-id": "msg_1", "content-type": "application/json"}, BODY)


def test_a_message_arrives_as_it_was_posted(world: World, receiver: Receiver) -> None:
    """Method, path, host, headers and the body to the byte."""
    answer = world.deliverer().deliver(a_posting())
    assert (answer.status, answer.trouble) == (204, None)
    head, body = receiver.requests[0].split(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    assert first == "POST /hooks?k=1 HTTP/1.1"
    fields = {name.lower(): value for name, value in (row.split(": ") for row in rest)}
    assert fields["host"] == HOST
    assert (fields["webhook-id"], fields["content-length"], fields["connection"]) == ("msg_1", str(len(BODY)), "close")
    assert body == BODY


def test_the_address_that_was_checked_is_the_one_that_is_called(world: World, receiver: Receiver) -> None:
    """The name is resolved once; TLS asks for the name all the same."""
    world.answers = [(PUBLIC, OTHER), ("127.0.0.1",)]
    assert world.deliverer().deliver(a_posting("https://erp.example.com:8443/")).status == 204
    assert (world.asked, world.dialled) == ([HOST], [(PUBLIC, 8443)])
    assert receiver.names == [HOST]


def test_a_name_that_is_rebound_leads_nowhere(world: World, receiver: Receiver) -> None:
    """Public when the endpoint was made, private at the next attempt: it is looked at anew, and not called."""
    world.answers = [(PUBLIC,), ("10.0.0.7",)]
    deliverer = world.deliverer()
    assert deliverer.deliver(a_posting()).status == 204
    assert deliverer.deliver(a_posting()).trouble is Trouble.ADDRESS_NOT_ALLOWED
    assert (world.dialled, receiver.connections) == ([(PUBLIC, 443)], 1)


@pytest.mark.parametrize(
    "found",
    [("127.0.0.1",), ("169.254.169.254",), (PUBLIC, "10.0.0.1"), ("fd00::1",), ("64:ff9b::7f00:1",), ("fe80::1%lo",)],
)
def test_one_inner_address_is_enough_not_to_call(world: World, receiver: Receiver, found: Sequence[str]) -> None:
    """Not even the public ones beside it."""
    world.answers = [found]
    assert world.deliverer().deliver(a_posting()).trouble is Trouble.ADDRESS_NOT_ALLOWED
    assert (world.dialled, receiver.connections) == ([], 0)


@pytest.mark.parametrize("url", ["http://erp.example.com/", "https://169.254.169.254/", "https://a:b@erp.example.com/"])
def test_a_url_is_looked_at_again_before_it_is_used(world: World, url: str) -> None:
    """Whatever was allowed when it was stored."""
    assert world.deliverer().deliver(a_posting(url)).trouble is Trouble.URL_NOT_ALLOWED
    assert (world.asked, world.dialled) == ([], [])


def test_a_redirect_is_not_followed(world: World, receiver: Receiver) -> None:
    """It is a status like any other; its Location is not looked at."""
    receiver.speak = say(b"HTTP/1.1 307 Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
    assert world.deliverer().deliver(a_posting()).status == 307
    assert len(world.dialled) == 1


def test_a_certificate_for_another_name_is_not_taken(world: World) -> None:
    """The message is not sent."""
    with receiving(say(OK), world.authority.serve("other.example.com")) as other:
        world.port = other.port
        assert world.deliverer().deliver(a_posting()).trouble is Trouble.TLS_FAILED
        assert other.requests == []


def test_a_certificate_of_an_unknown_authority_is_not_taken(world: World, tmp_path: Path) -> None:
    """Neither is one that nobody trusted has signed."""
    with receiving(say(OK), Authority(tmp_path).serve(HOST)) as stranger:
        world.port = stranger.port
        assert world.deliverer().deliver(a_posting()).trouble is Trouble.TLS_FAILED
        assert stranger.requests == []


def test_whoever_speaks_no_tls_is_told_nothing(world: World) -> None:
    """A server of another protocol on the port."""
    with receiving(say(OK)) as plain:
        world.port, plain.greeting = plain.port, b"220 mail ready\r\n"
        assert world.deliverer().deliver(a_posting()).trouble is Trouble.TLS_FAILED
        assert plain.requests == []


def test_nobody_there_is_a_failed_connection(world: World) -> None:
    """A port that nobody listens on."""
    with socket.create_server((LOOPBACK, 0)) as closed:
        world.port = closed.getsockname()[1]
    assert world.deliverer().deliver(a_posting()).trouble is Trouble.CONNECTION_FAILED


@pytest.mark.parametrize(
    "answer", [b"", b"\r\n", b"HTTP/9 what\r\n\r\n", b"HTTP/1.1 99999 x\r\n\r\n", b"\x00" * 70_000]
)
def test_an_answer_that_is_none_is_a_failure(world: World, receiver: Receiver, answer: bytes) -> None:
    """Hung up, garbled, or without an end."""
    receiver.speak = say(answer)
    outcome = world.deliverer().deliver(a_posting())
    assert outcome.status is None
    assert outcome.trouble in {Trouble.NOT_HTTP, Trouble.CONNECTION_FAILED}


def test_retry_after_is_handed_on_and_never_more_than_a_line(world: World, receiver: Receiver) -> None:
    """What it means is decided elsewhere."""
    receiver.speak = say(b"HTTP/1.1 503 Busy\r\nRetry-After: " + b"9" * 5_000 + b"\r\nContent-Length: 0\r\n\r\n")
    answer = world.deliverer().deliver(a_posting())
    assert (answer.status, answer.retry_after) == (503, "9" * 100)


def test_of_an_endless_answer_only_so_much_is_taken(world: World, receiver: Receiver) -> None:
    """Its status counts; the rest is thrown away, up to a bound, and then we hang up."""
    sent = []

    def pour(line: socket.socket, _: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:  # until the other side hangs up
            sent.append(line.send(b"x" * ANSWER_BYTES))

    receiver.speak = pour
    assert world.deliverer().deliver(a_posting()).status == 200


def test_a_receiver_that_drips_gets_no_more_time_by_it(world: World, receiver: Receiver) -> None:
    """A byte now and then never ends; by the clock of the whole request the time is over after some of them."""

    def drip(line: socket.socket, _: bytes) -> None:
        line.sendall(b"HTTP/1.1 200 O")
        while True:  # as long as somebody listens
            line.sendall(b"K")

    receiver.speak = drip
    world.ticks = iter(count(0, 1))
    assert world.deliverer().deliver(a_posting()).trouble is Trouble.TIMEOUT


def test_a_receiver_that_is_silent_is_given_up(world: World, receiver: Receiver) -> None:
    """The wait for its first byte ends with the request's time."""
    heard: list[bytes] = []

    def listen_only(line: socket.socket, _: bytes) -> None:
        heard.append(line.recv(1))  # until we hang up

    receiver.speak = listen_only
    world.ticks = iter([0.0, 0.0, 0.0, 0.0, 0.0, TOTAL_SECONDS - 0.01, TOTAL_SECONDS, TOTAL_SECONDS])
    assert world.deliverer().deliver(a_posting()).trouble is Trouble.TIMEOUT


def test_a_name_without_an_address_is_said_so(world: World) -> None:
    """No such name, none in time, or a name that is none."""

    def nobody(_: str) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    for refuse in (nobody, lambda _: (), lambda _: resolve("a" * 64 + ".example")):
        lines = Lines(refuse, world.dial, world.authority.trust)
        answer = InternetDeliverer(Reach.INTERNET, lines).deliver(a_posting())
        assert (answer.status, answer.trouble) == (None, Trouble.NAME_NOT_RESOLVED)
    assert world.dialled == []


def test_a_resolver_that_does_not_answer_is_left_behind() -> None:
    """Its answer, should it ever come, is not used."""
    silent = threading.Event()

    def look_up(*_arguments: object, **_named: object) -> Sequence[object]:
        silent.wait()
        return ()

    assert resolve(HOST, look_up=look_up, seconds=0) == ()
    silent.set()


def test_the_real_resolver_writes_addresses_as_they_are_looked_at() -> None:
    """A literal is its own answer."""
    assert list(resolve("127.0.0.1")) == ["127.0.0.1"]


def test_a_laptop_is_reached_only_where_it_is_said_so() -> None:
    """Over plain http, on this machine."""
    with receiving(say(OK)) as plain:
        url = f"http://127.0.0.1:{plain.port}/hooks"
        assert InternetDeliverer(Reach.LOOPBACK_TOO).deliver(a_posting(url)).status == 204
        assert InternetDeliverer(Reach.INTERNET).deliver(a_posting(url)).trouble is Trouble.URL_NOT_ALLOWED
        assert plain.connections == 1


def test_nothing_of_a_posting_is_printed() -> None:
    """Address, headers and body stay out of logs."""
    assert repr(a_posting()) == "Posting()"
