"""Partners' own samples, spoilt: `spoilt(partner)` draws a body that its partner might send on its worst day.

One thing is broken at a time, in JSON as text, for much of it no JSON library writes: keys given twice, numbers that
are none, surrogates by themselves, bytes that are no UTF-8, levels without end.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

from tests.unit.payments import stripe_events
from tests.unit.payments.partner_events import adyen_signed
from tests.unit.payments.partner_samples import adyen, airwallex, gocardless, paid, square, standard, wise

Path: TypeAlias = tuple[Any, ...]

_REFUND: Final = {"object": "r-1", "amount": 100}
SAMPLES: Final[Mapping[str, tuple[Any, ...]]] = {
    "adyen": (adyen(), adyen("REFUND", originalReference="PSP1"), adyen("CHARGEBACK", originalReference="PSP1")),
    "airwallex": (
        airwallex(),
        airwallex("refund.settled", payment_intent_id="int_1"),
        airwallex("payment_dispute.lost", payment_intent_id="int_1", stage="CHARGEBACK"),
        airwallex("deposit.settled"),
        airwallex(
            "payout.transfer.paid", amount_payer_pays=120.00, source_currency="GBP", fee_amount=1.5, fee_currency="GBP"
        ),
    ),
    "gocardless": (
        gocardless(),
        gocardless("refunds.paid", payment="PM1", refund="RF1"),
        gocardless("payouts.paid", payout="PO1"),
    ),
    "square": (
        square(),
        square("refund.updated", payment_id="pay_1"),
        square("dispute.state.updated", "WON", disputed_payment={"payment_id": "pay_1"}),
        square("payout.paid", "PAID"),
    ),
    "standard": (standard(fee=240), standard("refund.succeeded"), standard("dispute.lost"), standard("payout.paid")),
    "stripe": (
        stripe_events.paid(),
        stripe_events.refunded(),
        stripe_events.of_kind("charge.dispute.created"),
        stripe_events.of_kind("charge.dispute.closed", status="won"),
        stripe_events.of_kind("payout.failed"),
    ),
    "wise": (
        wise(),
        paid("wise"),
        wise(
            "transfers#state-change",
            current_state="outgoing_payment_sent",
            occurred_at="2026-11-16T12:00:00Z",
            resource={"id": 7, "profile_id": 8},
        ),
    ),
}
"""What each partner tells of payments, refunds, disputes and payouts."""

TEXTS: Final = (
    *("null", "true", "false", "0", "-1", "1", '""', '" "', '"x"', "[]", "{}", "[[]]", '[{"id": 1}]', '"12000"'),
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "0.1", "12000.5", "1E2", "-0", "-0.0"),
    *("9" * 400, "-" + "9" * 400, "9" * 5_000, str(2**63), str(-(2**63) - 1), str(10**15 + 1), "0." + "1" * 400),
    *(
        '"\\ud800"',
        '"\\udfff\\ud800"',
        '"a\\u0000b"',
        '"\\u202e"',
        '"\\n"',
        '"a/b"',
        '"a:b"',
        '".."',
        '"' + "x" * 256 + '"',
    ),
    *('"2026-11-16"', '"2026-11-16T12:00:00"', '"9999-12-31T23:59:59-14:00"', '"0001-01-01T00:00:00+14:00"', '"gbp"'),
    *('"XXX"', '"G\\u00dfP"', '"\\u0661"', '{"amount": 1, "currency": "GBP"}', "{", "]", "", "01", "+1", "'x'", "\\"),
    "[" * 3_000 + "]" * 3_000,
    '{"a":' * 3_000 + "1" + "}" * 3_000,
    '"' + "\u00e9" * 100_000 + '"',
)
"""JSON, and what passes for it, to stand in any place."""

BYTES: Final = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\x00", b"\xef\xbb\xbf", b"\xf5\x80\x80\x80")
"""No UTF-8, or none that belongs there."""


def spoilt(partner: str) -> st.SearchStrategy[bytes]:
    """A body of the partner's with one thing wrong; where it signs within, what it signs is wrong before."""
    return st.sampled_from(SAMPLES[partner]).flatmap(lambda sample: _spoilt(partner, sample))


def enclosed(partner: str, event: str) -> bytes:
    """A delivery of one event, as text."""
    if partner == "gocardless":
        return b'{"events": [' + event.encode(errors="surrogatepass") + b"]}"
    if partner == "adyen":
        return b'{"live": "false", "notificationItems": [' + event.encode(errors="surrogatepass") + b"]}"
    return event.encode(errors="surrogatepass")


def _spoilt(partner: str, sample: Any) -> st.SearchStrategy[bytes]:
    event = adyen_signed(sample) if partner == "adyen" else sample
    ways: list[Callable[[Path], st.SearchStrategy[str]]] = [
        lambda path: st.sampled_from(TEXTS).map(lambda text: written(event, path, lambda _: text)),
        lambda path: st.just(written(event, path, None)),
        lambda path: st.just(written(event, path, lambda text: f"[{text}]")),
        lambda path: st.just(written(event, path, lambda text: f'{{"value": {text}}}')),
        lambda path: st.sampled_from(TEXTS).map(lambda text: twice(event, path, text)),
    ]
    places = st.sampled_from(list(_places(event)))
    text = st.tuples(places, st.sampled_from(ways)).flatmap(lambda pair: pair[1](pair[0]))
    whole = text.map(lambda said: enclosed(partner, said))
    return whole | _cut(whole)


def _cut(bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Ended early, or with bytes in the middle that are no text."""
    places = st.floats(0, 1, allow_nan=False)

    def cut(body: bytes, place: float, inserted: bytes | None) -> bytes:
        at = int(len(body) * place)
        return body[:at] if inserted is None else body[:at] + inserted + body[at:]

    return st.builds(cut, bodies, places, st.none() | st.sampled_from(BYTES))


def _places(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from _places(inner, (*path, key))


def written(value: Any, path: Path, change: Callable[[str], str] | None) -> str:
    """A value as JSON in which what stands in one place is changed as text; gone, where there is no change."""
    if not path:
        return change(json.dumps(value)) if change else ""
    if isinstance(value, dict):
        members = [
            f"{json.dumps(key)}: {written(inner, path[1:], change) if key == path[0] else json.dumps(inner)}"
            for key, inner in value.items()
            if change or path != (key,)
        ]
        return "{" + ", ".join(members) + "}"
    parts = [written(inner, path[1:], change) if at == path[0] else json.dumps(inner) for at, inner in enumerate(value)]
    return "[" + ", ".join(part for part in parts if part) + "]"


def twice(value: Any, path: Path, text: str) -> str:
    """A value as JSON in which one key is given twice, with another value the second time."""
    return written(
        value, path, lambda own: f"{own}, {json.dumps(path[-1])}: {text}" if isinstance(path[-1], str) else own
    )
