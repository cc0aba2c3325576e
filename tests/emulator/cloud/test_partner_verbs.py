import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from socket import socket
from typing import Any

import pytest
import requests

from emulators.catalogue import REPOSITORY
from emulators.here import Here
from emulators.partners import PARTNERS
from emulators.partners.telling import Happening, Payer
from emulators.processes import interpreter
from emulators.state import Home
from emulators.supervisor import Wish, bring_down, bring_up
from emulators.trigger import happenings, kinds_told, tell
from shared.identity import SystemIds
from shared.money import Money
from tests.emulator.cloud.example_doors import Daybook
from tests.unit.webhooks.receivers import OK, receiving

pytestmark = pytest.mark.emulator

WITH_AMOUNTS = ("adyen", "airwallex", "square", "standard", "stripe")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home whose cloud has all of our doors and the tenant acme."""
    home = Home(tmp_path_factory.mktemp("home"))
    bring_up(home, Wish(), lambda _: None)
    yield home
    bring_down(home)


@pytest.fixture(scope="module")
def daybook(home: Home, daybook_at: Callable[[Home], Daybook]) -> Daybook:
    """The `daybook` command on that cloud."""
    command = daybook_at(home)
    assert command("tenant", "create", "acme", "--vat-id", "GB774572845").returncode == 0
    return command


def lines(answer: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """What a command said, a JSON line each."""
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


@pytest.mark.usefixtures("daybook")
@pytest.mark.parametrize("partner", WITH_AMOUNTS)
def test_every_event_that_a_partner_has_comes_into_the_books(home: Home, partner: str) -> None:
    """Signed as the partner signs, told after what comes before it, and applied by the doors."""
    here, ids = Here(home), SystemIds()
    for kind in sorted(PARTNERS[partner].kinds, key=list(kinds_told()).index):
        asked = Happening(kind, f"evt_{ids.token(8)}", here.clock().now(), Money(1050, "EUR"), payer=Payer("Jo"))
        came = [tell(here, "acme", partner, told) for told in happenings(partner, asked, ids)]
        assert [(each.state, each.refused) for each in came] == [("applied", None)] * len(came), kind


@pytest.mark.parametrize("partner", sorted(set(PARTNERS) - set(WITH_AMOUNTS)))
def test_events_without_an_amount_are_taken_in_too(daybook: Daybook, partner: str) -> None:
    """What the inbox makes of them is its own matter; that it believes them is ours."""
    (told,) = lines(daybook("trigger", "payment.succeeded", "--partner", partner, "--json"))
    assert (told["partner"], told["state"] in {"received", "kept", "applied", "refused"}) == (partner, True)


def test_a_dispute_is_told_after_its_payment_and_both_have_entries(daybook: Daybook) -> None:
    """A row for each event: id, state, entry."""
    told = lines(daybook("trigger", "dispute.lost", "--partner", "adyen", "--amount", "700", "--json"))
    assert [each["type"] for each in told] == ["AUTHORISATION", "CHARGEBACK", "SECOND_CHARGEBACK"]
    assert {each["state"] for each in told} == {"applied"}
    assert len({each["entry_id"] for each in told}) == 3
    assert len({each["payment"] for each in told}) == 1


@pytest.mark.parametrize("partner", WITH_AMOUNTS)
def test_an_invoice_is_paid_by_its_number_or_its_id(home: Home, daybook: Daybook, partner: str) -> None:
    """Whichever of them the partner carries."""
    client = Here(home).client("acme")
    about = {"reference": partner, "name": "Jo", "country": "GB", "kind": "consumer", "currency": "GBP"}
    customer = client.post("/v1/customers", about)["id"]
    line = {"description": "Lamp", "quantity": "1", "unit_price": 1000, "category": "standard"}
    draft = {"customer_id": customer, "currency": "GBP", "supply": "service", "lines": [line], "due_days": 30}
    drafted = client.post("/v1/invoices", draft)["id"]
    issued = client.post(f"/v1/invoices/{drafted}/issue", {})
    named = issued["number"] if partner in {"stripe", "square"} else drafted
    due = ("--amount", str(issued["gross"]["amount"]), "--currency", "GBP", "--invoice", named)
    (told,) = lines(daybook("trigger", "payment.succeeded", "--partner", partner, *due, "--json"))
    assert told["state"] == "applied"
    assert client.get(f"/v1/invoices/{drafted}")["state"] == "paid"


def test_what_a_partner_does_not_tell_is_said_in_one_line(daybook: Daybook) -> None:
    """With what it does tell, and before anything is sent."""
    for arguments, said in (
        (
            ("payout.paid", "--partner", "adyen"),
            "adyen has no event that tells payout.paid; it tells payment.succeeded",
        ),
        (("payment.vanished",), "no event is called payment.vanished"),
        (("payment.failed", "--partner", "paypal"), "no partner is called paypal"),
        (("payment.failed", "--invoice", "INV-1"), "no invoice has the id or number INV-1"),
        (("payment.failed", "--tenant", "nobody"), "no key of nobody is known here"),
    ):
        answer = daybook("trigger", *arguments)
        assert (answer.returncode, answer.stdout) == (1, "")
        assert said in answer.stderr
        assert len(answer.stderr.strip().splitlines()) == 1
    listed = daybook("trigger", "--list").stdout.splitlines()
    assert [line.split()[0] for line in listed if "adyen" not in line] == [
        "payment.pending",
        "payout.paid",
        "payout.failed",
    ]


def test_every_delivery_in_is_shown_with_what_it_came_to(home: Home, daybook: Daybook) -> None:
    """One that is told again as replayed, a forged one as refused; no name of anybody."""
    arguments = ("trigger", "payment.succeeded", "--partner", "square", "--id", "evt_twice", "--payment", "pay_twice")
    first, again = (lines(daybook(*arguments, "--json"))[0] for _ in range(2))
    assert first == again
    forged = {"x-square-hmacsha256-signature": "bm90IHNpZ25lZA=="}
    requests.post(f"{Here(home).url()}/v1/webhooks/acme/square", data=b"{}", headers=forged, timeout=30)
    shown = daybook("listen", "--once", "--json")
    seen = [each for each in lines(shown) if each.get("partner") == "square"]
    twice = [
        (each["state"], each["status"], each.get("replayed")) for each in seen if each.get("event_id") == "evt_twice"
    ]
    assert twice == [("applied", 200, None), ("applied", 200, True)]
    assert (seen[-1]["status"], seen[-1]["refused"]) == (401, "bad_signature")
    assert all(each["milliseconds"] >= 0 for each in seen)
    assert "Example" not in shown.stdout
    assert daybook("listen", "--once", "--since", "1s").returncode == 0
    assert "Jo" not in daybook("listen", "--once").stdout


def test_listening_shows_what_goes_in_and_out_as_it_happens(home: Home, daybook: Daybook) -> None:
    """A payment comes in and is told to an endpoint; Ctrl-C ends it."""
    here = Here(home)

    def take(line: socket, _request: bytes) -> None:
        line.sendall(OK)

    command = interpreter("emulators.cli", "--home", str(home.path), "listen", "--json")
    with receiving(take) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/hooks"
        filters = {"url": url, "filters": ["payment.applied"]}
        endpoint = here.client("acme").post("/v1/webhook_endpoints", filters)
        with subprocess.Popen(  # noqa: S603 - our own command, no shell
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY
        ) as listening:
            try:
                found, told = heard(listening, daybook)
                listening.send_signal(signal.SIGINT)
                assert listening.wait(timeout=30) == 0
            finally:
                listening.kill()
    assert (found["in"]["event_id"], found["in"]["state"]) == (told["event_id"], "applied")
    assert (found["out"]["endpoint"], found["out"]["type"]) == (endpoint["id"], "payment.applied")
    assert (found["out"]["status"], found["out"]["state"]) == (204, "delivered")


def heard(listening: "subprocess.Popen[str]", daybook: Daybook) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """What a listener says of a payment that is told after it began, by its way; and what was told."""
    assert listening.stdout
    assert listening.stderr
    assert "listening to acme" in listening.stderr.readline()
    (told,) = lines(daybook("trigger", "payment.succeeded", "--partner", "standard", "--json"))
    found: dict[str, dict[str, Any]] = {}
    for line in listening.stdout:
        seen = json.loads(line)
        found[seen["way"]] = seen
        if found.keys() == {"in", "out"}:
            break
    return found, told
