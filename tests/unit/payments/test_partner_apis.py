"""How partners' APIs are asked, and what is made of their answers."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Fault, Retryable
from shared.money import Money
from shared.payments.model import Stage, Thing
from shared.payments.partners.api import Accepted, RefundOrder, Truth
from shared.payments.partners.apis import DIALECTS, dialect_of
from shared.payments.partners.apis.speaking import Reply, read_json
from shared.payments.refusals import NotAskable, PartnerRefused
from tests.unit.payments.partner_answers import (
    ASKABLE,
    KEY,
    REFERENCES,
    Asked,
    Said,
    airwallex_refund,
    gocardless_payment,
    gocardless_refund,
    named,
    square_thing,
    stripe_charge,
    stripe_intent,
    stripe_part,
)
from tests.unit.payments.partner_samples import PAYER

INVOICE = "a" * 52
REFUND = st.sampled_from(["stripe", "gocardless", "square", "airwallex", "adyen"])


def told(said: Any, status: int = 200) -> Reply:
    """A reply as it is read from the line."""
    return Reply(status, read_json(json.dumps(said).encode()))


def truth(partner: str, thing: Thing, said: Said, reference: str = "") -> Any:
    """What is made of an answer."""
    return dialect_of(partner).truth(Asked(told(said)), KEY, named(partner, thing, reference))


def an_order(partner: str, amount: int = 5_000, key: str = "once") -> RefundOrder:
    """50.00 pounds of a payment are to be given back."""
    return RefundOrder(named(partner, account="AcmeUK"), Money(amount, "GBP"), key)


# --- the truth ---------------------------------------------------------------------------


@pytest.mark.parametrize(("partner", "thing"), ASKABLE)
def test_a_thing_is_asked_by_its_id_and_understood(partner: str, thing: Thing) -> None:
    """One reading request with the key in a header, and an exact amount of what was asked for."""
    asked = Asked(told(ASKABLE[partner, thing]))
    found = dialect_of(partner).truth(asked, KEY, named(partner, thing))
    (request,) = asked.requests
    assert (request.method, request.body) == ("GET", b"")
    assert REFERENCES[partner, thing] in request.path
    assert "secret-word" not in request.path
    assert (found.money.currency, found.money.amount > 0, found.occurred_at.isoformat()[:10]) == (
        "GBP",
        True,
        "2026-11-16",
    )
    assert "secret-word" not in repr((request, KEY, asked.replies))


@pytest.mark.parametrize(
    ("partner", "thing", "said", "stage", "amount"),
    [
        ("stripe", Thing.PAYMENT, stripe_intent(amount_received=9_000), Stage.SUCCEEDED, 9_000),
        ("stripe", Thing.PAYMENT, stripe_intent(status="processing", amount_received=0), Stage.PENDING, 12_000),
        ("stripe", Thing.PAYMENT, stripe_intent(status="canceled"), Stage.FAILED, 12_000),
        ("stripe", Thing.REFUND, stripe_part("re_1", "failed"), Stage.FAILED, 5_000),
        ("stripe", Thing.DISPUTE, stripe_part("dp_1", "lost"), Stage.LOST, 5_000),
        ("stripe", Thing.PAYOUT, stripe_part("po_1", "in_transit"), Stage.PENDING, 5_000),
        ("gocardless", Thing.PAYMENT, gocardless_payment(status="paid_out"), Stage.SUCCEEDED, 12_000),
        ("gocardless", Thing.PAYMENT, gocardless_payment(status="failed"), Stage.FAILED, 12_000),
        ("gocardless", Thing.PAYMENT, gocardless_payment(status="submitted"), Stage.PENDING, 12_000),
        ("gocardless", Thing.DISPUTE, gocardless_payment(status="charged_back"), Stage.OPEN, 12_000),
        ("gocardless", Thing.DISPUTE, gocardless_payment(status="paid_out"), Stage.WON, 12_000),
        ("gocardless", Thing.REFUND, gocardless_refund(status=None), Stage.PENDING, 5_000),
        ("square", Thing.DISPUTE, square_thing(Thing.DISPUTE, state="ACCEPTED"), Stage.LOST, 12_000),
        ("wise", Thing.PAYOUT, ASKABLE["wise", Thing.PAYOUT], Stage.PAID, 12_050),
        ("airwallex", Thing.PAYMENT, ASKABLE["airwallex", Thing.PAYMENT], Stage.SUCCEEDED, 12_050),
        ("airwallex", Thing.REFUND, airwallex_refund(status="ACCEPTED"), Stage.PENDING, 5_000),
    ],
)
def test_a_partners_word_is_said_in_ours(partner: str, thing: Thing, said: Said, stage: Stage, amount: int) -> None:
    """Stage and amount, in minor units whatever the partner counts in."""
    found = truth(partner, thing, said)
    assert (found.stage, found.money) == (stage, Money(amount, "GBP"))


def test_fees_and_invoices_come_with_the_truth_where_a_partner_says() -> None:
    """Stripe's balance transaction, GoCardless's deducted fees, Square's processing fees; our ids and numbers alone."""
    assert truth("stripe", Thing.PAYMENT, stripe_intent()).fee == Money(240, "GBP")
    assert truth("stripe", Thing.PAYMENT, stripe_intent(latest_charge="ch_1")).fee is None
    assert truth("gocardless", Thing.PAYOUT, ASKABLE["gocardless", Thing.PAYOUT]).fee == Money(200, "GBP")
    fees = [{"amount_money": {"amount": 30, "currency": "GBP"}}, {"amount_money": {"amount": -5, "currency": "GBP"}}]
    assert truth("square", Thing.PAYMENT, square_thing(Thing.PAYMENT, processing_fee=fees)).fee == Money(25, "GBP")
    assert (
        truth("gocardless", Thing.PAYMENT, gocardless_payment(metadata={"invoice_id": INVOICE})).invoice_id == INVOICE
    )
    assert truth("gocardless", Thing.PAYMENT, gocardless_payment(metadata={"invoice_id": PAYER})).invoice_id == ""
    described = gocardless_payment(description="For INV-2026-000001, thanks")
    assert truth("gocardless", Thing.PAYMENT, described).number == "INV-2026-000001"


def test_a_charge_of_stripes_is_asked_as_a_charge() -> None:
    """Payments without an intent are known by their charge."""
    found = truth("stripe", Thing.PAYMENT, stripe_charge(), "ch_1")
    assert (found.stage, found.payment, found.money) == (Stage.SUCCEEDED, "ch_1", Money(12_000, "GBP"))


def test_a_connected_account_of_stripes_is_named() -> None:
    """Ids are only unique within one."""
    asked = Asked(told(stripe_intent()))
    dialect_of("stripe").truth(asked, KEY, named("stripe", account="acct_1"))
    assert asked.requests[0].headers["stripe-account"] == "acct_1"


@pytest.mark.parametrize(
    ("partner", "thing"),
    [("adyen", thing) for thing in Thing]
    + [("wise", Thing.PAYMENT), ("wise", Thing.REFUND), ("wise", Thing.DISPUTE)]
    + [("airwallex", Thing.DISPUTE), ("airwallex", Thing.PAYOUT)],
)
def test_what_has_no_source_is_not_asked(partner: str, thing: Thing) -> None:
    """No request leaves: what would come back is not known."""
    asked = Asked()
    with pytest.raises(NotAskable):
        dialect_of(partner).truth(asked, KEY, named(partner, thing, "thing"))
    assert asked.requests == []


def test_whoever_sends_standard_webhooks_has_no_api() -> None:
    """There is nobody to ask."""
    with pytest.raises(NotAskable):
        dialect_of("standard")


@pytest.mark.parametrize("partner", sorted({partner for partner, _ in ASKABLE}))
@pytest.mark.parametrize("reference", [".", ".."])
def test_an_id_that_leads_elsewhere_is_not_asked(partner: str, reference: str) -> None:
    """A path is made of parts, and none of them climbs."""
    with pytest.raises(NotAskable):
        dialect_of(partner).truth(Asked(), KEY, named(partner, Thing.PAYOUT, reference))


def test_an_id_stays_one_part_of_the_path() -> None:
    """Whatever characters it has."""
    asked = Asked(Reply(404, {}))
    with pytest.raises(PartnerRefused):
        dialect_of("gocardless").truth(asked, KEY, named("gocardless", Thing.PAYMENT, "PM1?x=1&y/../2#é"))
    assert asked.requests[0].path == "/payments/PM1%3Fx%3D1%26y%2F..%2F2%23%C3%A9"


# --- no answer, or a no ------------------------------------------------------------------

REFUSALS: dict[str, tuple[Said, str]] = {
    "stripe": (
        {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": PAYER}},
        "resource_missing",
    ),
    "gocardless": (
        {"error": {"type": "invalid_api_usage", "errors": [{"reason": "resource_not_found", "message": PAYER}]}},
        "resource_not_found",
    ),
    "square": ({"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "NOT_FOUND", "detail": PAYER}]}, "NOT_FOUND"),
    "wise": ({"errors": [{"code": "not.found", "message": PAYER}]}, "not.found"),
    "airwallex": ({"code": "resource_not_found", "message": PAYER}, "resource_not_found"),
}


@pytest.mark.parametrize(("partner", "thing"), ASKABLE)
def test_a_no_is_a_refusal_with_the_partners_code(partner: str, thing: Thing) -> None:
    """And with nothing else of what it said."""
    said, code = REFUSALS[partner]
    with pytest.raises(PartnerRefused) as refused:
        dialect_of(partner).truth(Asked(told(said, 404)), KEY, named(partner, thing))
    assert refused.value.detail == {"partner": partner, "code": code, "status": 404}
    assert PAYER not in repr((refused.value, refused.value.detail))


@pytest.mark.parametrize("status", [301, 302, 408, 409, 425, 429, 500, 502, 503, 504, 999])
@pytest.mark.parametrize("partner", sorted(REFUSALS))
def test_later_and_broken_are_asked_again(partner: str, status: int) -> None:
    """Too slow, in progress, too many, broken, or sent elsewhere."""
    with pytest.raises(Retryable):
        dialect_of(partner).truth(
            Asked(Reply(status, None)), KEY, named(partner, Thing.PAYOUT if partner == "wise" else Thing.PAYMENT)
        )


@pytest.mark.parametrize(("partner", "thing"), ASKABLE)
def test_an_answer_about_something_else_is_none(partner: str, thing: Thing) -> None:
    """A mix-up at the partner's moves no money."""
    said = json.loads(json.dumps(ASKABLE[partner, thing]).replace(f'"{REFERENCES[partner, thing]}"', '"other"'))
    if partner == "wise":
        said["id"] = 1
    with pytest.raises(Retryable):
        truth(partner, thing, said)


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.decimals()
ANYTHING = (
    LEAF | st.lists(LEAF, max_size=2) | st.dictionaries(st.sampled_from(["id", "error", "code"]), LEAF, max_size=2)
)


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, Thing, Any]:
    """A good answer of which one part became anything, or is gone."""
    partner, thing = draw(st.sampled_from(sorted(ASKABLE, key=str)))
    said = json.loads(json.dumps(ASKABLE[partner, thing]), parse_float=Decimal)
    part = said
    while True:
        name = draw(st.sampled_from(sorted(part)))
        if not (isinstance(part[name], dict) and part[name] and draw(st.booleans())):
            break
        part = part[name]
    if draw(st.booleans()):
        part[name] = draw(ANYTHING)
    else:
        del part[name]
    return partner, thing, said


@given(spoiled(), st.sampled_from([200, 200, 200, 400, 404, 422]))
def test_no_answer_is_a_bug(case: tuple[str, Thing, Any], status: int) -> None:
    """Whatever comes back is a truth, a refusal or a retry; money is whole, positive, and nothing leaks."""
    partner, thing, said = case
    found = asked_of(partner, thing, Reply(status, said))
    if isinstance(found, Truth):
        assert type(found.money.amount) is int
        assert found.money.amount > 0
    else:
        assert found.__context__ is None
        assert PAYER not in repr((found, found.detail))


def asked_of(partner: str, thing: Thing, reply: Reply) -> Truth | Fault:
    """What comes of a question: a truth, a refusal or a retry."""
    try:
        return dialect_of(partner).truth(Asked(reply), KEY, named(partner, thing))
    except (Retryable, PartnerRefused, NotAskable) as fault:
        return fault


@given(st.sampled_from(sorted(ASKABLE, key=str)), ANYTHING, st.integers(100, 599))
def test_whatever_is_answered_is_no_bug(asked: tuple[str, Thing], said: Any, status: int) -> None:
    """Not even what is no object at all."""
    partner, thing = asked
    with pytest.raises((Retryable, PartnerRefused)):
        dialect_of(partner).truth(Asked(Reply(status, said)), KEY, named(partner, thing))


@given(REFUND, ANYTHING, ANYTHING, st.integers(100, 599))
def test_whatever_is_answered_to_a_refund_is_no_bug(partner: str, first: Any, second: Any, status: int) -> None:
    """Nor there."""
    asked = Asked(Reply(status, first), Reply(status, second), Reply(status, second))
    with pytest.raises((Retryable, PartnerRefused)):
        dialect_of(partner).refund(asked, KEY, an_order(partner))


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_no_bytes_are_a_bug(body: bytes) -> None:
    """What is no JSON is nothing; a fraction is exact, and infinity no number."""
    assert not isinstance(read_json(body), float)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1" * 5_000, b"NaN", b"{", b"\xff"])
def test_a_body_that_is_made_to_hurt_is_nothing(body: bytes) -> None:
    """Nested too deep, too long a number, no number, no JSON, no text."""
    assert read_json(body) is None


# --- refunds -----------------------------------------------------------------------------


def test_a_refund_of_stripes_is_asked_for_once() -> None:
    """A form with the amount, under the key."""
    asked = Asked(told(stripe_part("re_1", "pending")))
    assert DIALECTS["stripe"].refund(asked, KEY, an_order("stripe")) == Accepted("re_1", Stage.PENDING)
    (request,) = asked.requests
    assert (request.method, request.path, request.body) == ("POST", "/v1/refunds", b"payment_intent=pi_1&amount=5000")
    assert request.headers["idempotency-key"] == "once"


def test_a_refund_of_gocardless_confirms_the_sum_of_all() -> None:
    """What went back before, and this."""
    asked = Asked(told(gocardless_payment(amount_refunded=1_000)), told(gocardless_refund(status="created"), 201))
    assert DIALECTS["gocardless"].refund(asked, KEY, an_order("gocardless")) == Accepted("RF1", Stage.PENDING)
    assert json.loads(asked.requests[1].body)["refunds"] == {
        "amount": 5_000,
        "total_amount_confirmation": 6_000,
        "links": {"payment": "PM1"},
    }
    assert asked.requests[1].headers["idempotency-key"] == "once"


def test_a_refund_that_gocardless_made_before_is_the_answer() -> None:
    """The same key is answered with the refund that it made."""
    conflict = {"reason": "idempotent_creation_conflict", "links": {"conflicting_resource_id": "RF1"}}
    used = told({"error": {"type": "invalid_state", "errors": [conflict]}}, 409)
    asked = Asked(told(gocardless_payment(amount_refunded=5_000)), used, told(gocardless_refund()))
    assert DIALECTS["gocardless"].refund(asked, KEY, an_order("gocardless")) == Accepted("RF1", Stage.SUCCEEDED)
    assert asked.requests[-1].path == "/refunds/RF1"


def test_a_refund_of_squares_carries_its_key_in_the_body() -> None:
    """With the money in minor units."""
    asked = Asked(told(square_thing(Thing.REFUND, status="PENDING")))
    assert DIALECTS["square"].refund(asked, KEY, an_order("square")) == Accepted("pay_1_r1", Stage.PENDING)
    assert json.loads(asked.requests[0].body) == {
        "idempotency_key": "once",
        "amount_money": {"amount": 5_000, "currency": "GBP"},
        "payment_id": "pay_1",
    }


def test_a_refund_of_airwallexs_is_in_major_units_exactly() -> None:
    """A number without a rounding, under the request's id; made before, it is found among the payment's."""
    asked = Asked(told(airwallex_refund(status="RECEIVED"), 201))
    assert DIALECTS["airwallex"].refund(asked, KEY, an_order("airwallex", 5_010)) == Accepted("rfd_1", Stage.PENDING)
    assert b'"amount": 50.10' in asked.requests[0].body
    assert json.loads(asked.requests[0].body)["request_id"] == "once"
    listed = {"items": [airwallex_refund(request_id="other"), airwallex_refund(id="rfd_2")], "has_more": False}
    again = Asked(told({"code": "duplicate_request", "message": "used"}, 400), told(listed))
    assert DIALECTS["airwallex"].refund(again, KEY, an_order("airwallex")) == Accepted("rfd_2", Stage.SUCCEEDED)


def test_a_refund_of_adyens_is_taken_on() -> None:
    """Under the merchant account; how it ends is told by a webhook."""
    asked = Asked(told({"pspReference": "REF1", "status": "received", "paymentPspReference": "PSP1"}, 201))
    assert DIALECTS["adyen"].refund(asked, KEY, an_order("adyen")) == Accepted("REF1", Stage.PENDING)
    (request,) = asked.requests
    assert request.path == "/payments/QFQTPCQ8HXSKGK82/refunds"
    assert json.loads(request.body)["merchantAccount"] == "AcmeUK"
    assert (request.headers["idempotency-key"], request.headers["x-api-key"]) == ("once", "secret-word")


def test_wise_gives_nothing_back() -> None:
    """It has no such request."""
    with pytest.raises(NotAskable):
        DIALECTS["wise"].refund(Asked(), KEY, an_order("wise"))


def test_a_long_key_stands_for_itself() -> None:
    """Adyen and Airwallex take 64 characters: the same long key is the same short one, another is another."""
    sent = []
    for key in ("k" * 100, "k" * 100, "k" * 101):
        asked = Asked(told({"pspReference": "REF1", "status": "received"}, 201))
        DIALECTS["adyen"].refund(asked, KEY, an_order("adyen", key=key))
        sent.append(asked.requests[0].headers["idempotency-key"])
    assert sent[0] == sent[1] != sent[2]
    assert max(map(len, sent)) <= 64
