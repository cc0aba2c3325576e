"""Partners' APIs asked over real sockets: the truth, a refund once, and every way in which an answer does not come."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from emulators.partner_apis.driver import KEY, PartnersDriver
from emulators.partner_apis.web import REVOKED
from shared.faults import Refused, Retryable
from shared.internet.lines import Lines, dial
from shared.internet.partner_apis import HttpPartnerApi
from shared.money import Money
from shared.payments.model import Stage, Thing
from shared.payments.refusals import NotAskable, PartnerRefused
from shared.webhooks.rules.urls import Reach
from tests.emulator.instances import LiveSecrets
from tests.emulator.partners.known import REFUNDABLE, STATUS, a_thing, an_order, named

each_refundable = pytest.mark.parametrize("partner", REFUNDABLE)
TROUBLES: list[dict[str, Any]] = [
    *({"kind": "status", "status": status} for status in (301, 408, 409, 429, 500, 502, 503, 504)),
    {"kind": "garbage"},
    {"kind": "huge"},
]


@pytest.mark.parametrize(("partner", "thing"), STATUS)
def test_what_a_partner_knows_is_what_we_are_told(
    api: HttpPartnerApi, partners: PartnersDriver, partner: str, thing: Thing
) -> None:
    """Every thing of every partner, to the penny."""
    known = a_thing(partner, thing)
    partners.feed(known)
    truth = api.truth(named(known))
    assert (truth.money, truth.stage in {Stage.SUCCEEDED, Stage.PAID, Stage.OPEN}) == (Money(12_050, "GBP"), True)


def test_a_fee_comes_with_the_truth(api: HttpPartnerApi, partners: PartnersDriver) -> None:
    """Stripe's is asked along in the same question."""
    for known in (a_thing("stripe", fee=240), a_thing("square", fee=240), a_thing("gocardless", Thing.PAYOUT, fee=240)):
        partners.feed(known)
        assert api.truth(named(known)).fee == Money(240, "GBP")


@each_refundable
def test_a_refund_that_is_asked_for_twice_is_made_once(
    api: HttpPartnerApi, partners: PartnersDriver, partner: str
) -> None:
    """The same key is answered with the same refund; another key makes another."""
    payment = a_thing(partner)
    partners.feed(payment)
    first, again = (api.refund(an_order(payment)) for _ in range(2))
    assert (first, first.stage) == (again, Stage.PENDING)
    assert api.refund(an_order(payment, 7_040, "other")).reference != first.reference
    with pytest.raises(PartnerRefused):
        api.refund(an_order(payment, 1, "more than was paid"))


@each_refundable
def test_a_refund_whose_answer_came_too_late_was_made_once(
    impatient: HttpPartnerApi, api: HttpPartnerApi, partners: PartnersDriver, partner: str
) -> None:
    """The partner did it, and we heard nothing: asked again under the same key, it says what it did."""
    payment = a_thing(partner)
    partners.feed(payment)
    if partner == "gocardless":
        partners.trouble(partner, "late", seconds=0)  # the question before it
    if partner == "airwallex":
        partners.trouble(partner, "late", seconds=0)  # the login before it
    partners.trouble(partner, "late", seconds=1.5)
    with pytest.raises(Retryable):
        impatient.refund(an_order(payment))
    made = api.refund(an_order(payment))
    assert api.refund(an_order(payment)) == made
    with pytest.raises(PartnerRefused):
        api.refund(an_order(payment, 12_050, "all of it"))


def test_a_refund_asked_for_by_eight_at_once_is_made_once(api: HttpPartnerApi, partners: PartnersDriver) -> None:
    """A task that is brought to several instances."""
    payment = a_thing("stripe")
    partners.feed(payment)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: api.refund(an_order(payment)), range(8)))
    assert len(set(made)) == 1


@pytest.mark.parametrize(("partner", "thing"), STATUS)
def test_what_a_partner_does_not_know_is_refused_with_its_code(api: HttpPartnerApi, partner: str, thing: Thing) -> None:
    """Asking again would be answered the same."""
    with pytest.raises(PartnerRefused) as refused:
        api.truth(named(a_thing(partner, thing)))
    assert refused.value.detail["code"] in {"resource_missing", "resource_not_found", "NOT_FOUND", "not.found"}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: f"{trouble['kind']}-{trouble.get('status', '')}")
@pytest.mark.parametrize("partner", ["stripe", "gocardless", "square", "airwallex"])
def test_no_answer_is_to_be_asked_again(
    api: HttpPartnerApi, partners: PartnersDriver, partner: str, trouble: dict[str, Any]
) -> None:
    """Broken, too many, somebody's error page, or without an end; the next answer is good."""
    known = a_thing(partner)
    partners.feed(known)
    partners.trouble(partner, **trouble)
    with pytest.raises(Retryable) as fault:
        api.truth(named(known))
    assert KEY not in repr((fault.value, fault.value.detail))
    assert api.truth(named(known)).money == Money(12_050, "GBP")


def test_a_partner_that_does_not_answer_is_given_up(
    impatient: HttpPartnerApi, api: HttpPartnerApi, partners: PartnersDriver
) -> None:
    """Nothing is known, so it is asked again."""
    known = a_thing("stripe")
    partners.feed(known)
    partners.trouble("stripe", "silent", seconds=1.5)
    with pytest.raises(Retryable):
        impatient.truth(named(known))
    assert api.truth(named(known)).money == Money(12_050, "GBP")


def test_a_question_has_one_deadline_with_all_its_requests(secrets: LiveSecrets, partners: PartnersDriver) -> None:
    """Each dialling takes thirteen seconds: one request is in time, and whoever wants two has no more time for it."""
    dialled: list[int] = []

    def slowly(address: str, port: int) -> socket.socket:
        dialled.append(port)
        return dial(address, port)

    lines = Lines(dial=slowly, monotonic=lambda: 13.0 * len(dialled))
    api = HttpPartnerApi(secrets, Reach.LOOPBACK_TOO, lines)
    for partner in ("stripe", "airwallex"):
        partners.feed(a_thing(partner, id=f"int_slow_{partner}"))
    assert api.truth(named(a_thing("stripe", id="int_slow_stripe"))).money == Money(12_050, "GBP")
    with pytest.raises(Retryable):
        api.truth(named(a_thing("airwallex", id="int_slow_airwallex")))
    assert len(dialled) == 3


def test_a_redirect_is_not_followed(api: HttpPartnerApi, partners: PartnersDriver) -> None:
    """One question is one request, and the key goes nowhere else."""
    known = a_thing("stripe")
    before = len(partners.asked("stripe"))
    partners.trouble("stripe", "status", status=302)
    with pytest.raises(Retryable):
        api.truth(named(known))
    assert len(partners.asked("stripe")) == before + 1


def test_a_revoked_key_is_a_no(partners: PartnersDriver) -> None:
    """An operator gives a new one, and replays."""
    secrets = LiveSecrets({"partner-api-acme-stripe": (partners.secret("stripe", REVOKED).encode(),)})
    with pytest.raises(PartnerRefused) as refused:
        HttpPartnerApi(secrets, Reach.LOOPBACK_TOO).truth(named(a_thing("stripe")))
    assert refused.value.detail["status"] == 401


def test_neither_key_nor_answer_is_logged(api: HttpPartnerApi, partners: PartnersDriver) -> None:
    """Only who asked whom, and the status."""
    known = a_thing("stripe", said={"description": "Grace Hopper"})
    partners.feed(known)
    with capture_logs() as lines:
        api.truth(named(known))
        partners.trouble("stripe", "huge")
        with pytest.raises(Retryable):
            api.truth(named(known))
    assert [line["event"] for line in lines] == ["partner_asked", "partner_silent"]
    assert KEY not in repr(lines)
    assert "Hopper" not in repr(lines)


# --- keys --------------------------------------------------------------------------------


def test_a_tenant_without_a_key_asks_nobody(partners: PartnersDriver) -> None:
    """Its event is refused, and says why."""
    known, before = a_thing("stripe"), len(partners.asked("stripe"))
    with pytest.raises(NotAskable):
        HttpPartnerApi(LiveSecrets({}), Reach.LOOPBACK_TOO).truth(named(known))
    assert len(partners.asked("stripe")) == before


def test_the_newest_key_that_can_be_read_is_used(partners: PartnersDriver) -> None:
    """A broken version is logged, without itself; when none is left, it is to be tried again once it is replaced."""
    known = a_thing("stripe")
    partners.feed(known)
    secrets = LiveSecrets({"partner-api-acme-stripe": (b"{broken SECRET", partners.secret("stripe").encode())})
    api = HttpPartnerApi(secrets, Reach.LOOPBACK_TOO)
    with capture_logs() as lines:
        assert api.truth(named(known)).money == Money(12_050, "GBP")
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["partner_api_secret_unreadable"]
    assert "SECRET" not in repr(lines)
    secrets.live = {"partner-api-acme-stripe": (b"{broken",)}
    with pytest.raises(Retryable):
        api.truth(named(known))


@pytest.mark.parametrize(
    "url",
    [
        "http://api.partner.example",
        "https://127.0.0.1",
        "https://10.0.0.1",
        "https://user:pw@api.partner.example",
        "file:///etc",
    ],
)
def test_a_key_is_sent_over_tls_to_public_addresses_only(url: str) -> None:
    """An address that is not one makes the secret unreadable."""
    said = json.dumps({"url": url, "key": KEY}).encode()
    with pytest.raises(Retryable):
        HttpPartnerApi(LiveSecrets({"partner-api-acme-stripe": (said,)}), Reach.INTERNET).truth(
            named(a_thing("stripe"))
        )


@pytest.mark.parametrize("key", ["two\nlines", "two\r\nx-evil: 1", "spa ced", "\u00e9", "x" * 5_000])
def test_a_key_that_is_no_word_goes_nowhere(partners: PartnersDriver, key: str) -> None:
    """It would be a header of somebody's making."""
    secrets = LiveSecrets({"partner-api-acme-stripe": (partners.secret("stripe", key).encode(),)})
    with pytest.raises(Retryable) as fault:
        HttpPartnerApi(secrets, Reach.LOOPBACK_TOO).truth(named(a_thing("stripe")))
    assert key not in repr((fault.value, fault.value.detail))


def test_each_account_with_a_partner_may_have_a_key_of_its_own(partners: PartnersDriver) -> None:
    """Where a secret has no key to an account, nobody else's is used."""
    said = json.loads(partners.secret("stripe")) | {"accounts": {"acct_1": KEY}}
    del said["key"]
    api = HttpPartnerApi(LiveSecrets({"partner-api-acme-stripe": (json.dumps(said).encode(),)}), Reach.LOOPBACK_TOO)
    known = a_thing("stripe")
    partners.feed(known)
    assert api.truth(replace(named(known), account="acct_1")).money == Money(12_050, "GBP")
    with pytest.raises(Refused) as refused:
        api.truth(replace(named(known), account="acct_2"))
    assert refused.value.code == NotAskable.code
