"""Adyen's own library and published vector judge what we accept."""

import json
from typing import Any, Final

import pytest
from Adyen.util import generate_notification_sig, is_valid_hmac_notification

from shared.payments.model import EventKind
from shared.payments.partners.adapter import Proven, Secret
from shared.payments.partners.adyen import Adyen
from shared.payments.refusals import BadSignature
from tests.builders import NOON
from tests.conformance.vectors import vector_of
from tests.unit.payments.partner_events import adyen_body, adyen_signed, secret_of
from tests.unit.payments.partner_samples import adyen

VECTOR: Final = vector_of("adyen")
KEY: Final = secret_of("adyen").value.decode()


def by_library(item: Any) -> Any:
    """An item signed by Adyen's own library."""
    said = item["NotificationRequestItem"]
    made = generate_notification_sig(said, KEY).decode()
    return {"NotificationRequestItem": said | {"additionalData": {"hmacSignature": made}}}


def theirs(body: bytes) -> bool:
    """Whether Adyen's library takes a delivery for its own."""
    return bool(is_valid_hmac_notification(json.loads(body), KEY))


def ours(body: bytes, key: str = KEY) -> Proven:
    """What a delivery proves to us."""
    return Adyen().prove(body, {}, [Secret("live", key.encode())], NOON)


def test_the_published_vector_is_accepted() -> None:
    """A signature that was made elsewhere, value for value; in either case of its key's digits."""
    item = {"NotificationRequestItem": VECTOR["item"] | {"additionalData": {"hmacSignature": VECTOR["signature"]}}}
    for key in (VECTOR["key"], VECTOR["key"].lower()):
        (piece,) = ours(adyen_body([item]), key).pieces
        event = Adyen().parse(piece.raw, NOON)
        assert (event.kind, event.payment) == (EventKind.PAYMENT_SUCCEEDED, VECTOR["item"]["pspReference"])


@pytest.mark.parametrize(
    "item", [adyen(), adyen("REFUND", "false", originalReference="PAY1"), adyen(merchantReference="")]
)
def test_what_adyens_library_signs_is_accepted_and_the_other_way_round(item: Any) -> None:
    """With and without an original reference, and with an empty one of ours."""
    assert ours(adyen_body([by_library(item)])).pieces
    assert theirs(adyen_body([adyen_signed(item)]))
    assert by_library(item) == adyen_signed(item)


def test_a_forged_second_item_is_not_believed_though_adyens_library_looks_at_the_first_alone() -> None:
    """Here we are stricter on purpose: each item is judged by its own signature."""
    forged = by_library(adyen())
    forged["NotificationRequestItem"]["amount"]["value"] = 1
    body = adyen_body([by_library(adyen()), forged])
    assert theirs(body)
    assert (len(ours(body).pieces), ours(body).forged) == (1, 1)


def test_fields_that_nobody_signed_are_accepted_by_both_and_read_by_us_in_no_way() -> None:
    """Adyen signs neither date, nor reason, nor the data beside it."""
    item = by_library(adyen())
    changed = {"NotificationRequestItem": item["NotificationRequestItem"] | {"eventDate": "1999", "reason": "forged"}}
    assert theirs(adyen_body([changed]))
    first, second = (ours(adyen_body([each])).pieces[0].raw for each in (item, changed))
    assert Adyen().parse(first, NOON) == Adyen().parse(second, NOON)


def test_one_signature_for_two_items_is_accepted_by_adyens_library_and_not_by_us() -> None:
    """What stands before a colon can be moved behind it where nothing is escaped."""
    item = by_library(adyen(originalReference="A:B", merchantAccountCode="C"))
    moved = {"NotificationRequestItem": item["NotificationRequestItem"] | {"originalReference": "A"}}
    moved["NotificationRequestItem"]["merchantAccountCode"] = "B:C"
    for each in (item, moved):
        assert theirs(adyen_body([each]))
        with pytest.raises(BadSignature):
            ours(adyen_body([each]))


def test_neither_takes_a_signed_value_altered() -> None:
    """One amount changed."""
    item = by_library(adyen())
    item["NotificationRequestItem"]["amount"]["value"] += 1
    assert not theirs(adyen_body([item]))
    with pytest.raises(BadSignature):
        ours(adyen_body([item]))
