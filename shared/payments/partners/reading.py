"""How adapters read: signatures compared in constant time, and what a piece says, strictly.

A body that is no event leaves no trace in the refusal: a parser's error would hold the bytes.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from shared.faults import Fault
from shared.limits import MATCHED_NUMBERS
from shared.money import Money, minor_digits
from shared.payments.model import PartnerEvent
from shared.payments.partners.adapter import Secret
from shared.payments.refusals import BadSignature, NotAnEvent, OutsideReplayWindow

REPLAY_WINDOW_SECONDS: Final = 300
"""How far a signature's own time may be from ours, either way."""

INVOICE_NUMBER: Final = r"INV-[0-9]{4}-[0-9]{6,12}"
_OUR_NUMBER: Final = re.compile(INVOICE_NUMBER + "(?![0-9])")
"""What our invoices' numbers look like (`shared.invoicing.rules.issuing.next_number`)."""

LONGEST_HEADER: Final = 2_048
LONGEST_ID: Final = 255
_OUR_ID: Final = re.compile(r"[a-z2-7]{52}")
"""What our ids look like (`shared.identity.stored_id`): metadata is free text, anything else in it is not ours."""

NOT_AN_EVENT: Final = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    ArithmeticError,
    OSError,  # what the platform says of an instant far outside its calendar
    RecursionError,
    Fault,
)
"""What reading a body that is no event may raise."""


# --- signatures --------------------------------------------------------------------------


def keyed_hash(key: bytes, signed: bytes) -> bytes:
    """HMAC-SHA256; nothing under an empty key, which everybody has."""
    return hmac.new(key, signed, hashlib.sha256).digest() if key else b""


def signed_by(secrets: Sequence[Secret], given: Sequence[bytes], made: Callable[[Secret], bytes], header: str) -> str:
    """The key id of the first secret whose signature was given; each is compared with each, none spared.

    A secret that makes nothing, for it is empty or not in the partner's form, signs nothing.

    Raises:
        BadSignature: no live secret made any of them.
    """
    signatures = [(secret.key_id, made(secret)) for secret in secrets]
    matched = [key_id for key_id, signature in signatures if signature and any_equal(signature, given)]
    if not matched:
        message = "no live secret made this signature"
        raise BadSignature(message, field=header)
    return matched[0]


def any_equal(made: bytes, given: Sequence[bytes]) -> bool:
    """Whether one of the signatures given is the one that was made, in a time that does not tell which."""
    return any([hmac.compare_digest(made, one) for one in given])  # noqa: C419 - no early exit


def within_window(signed_at: float, at: datetime, header: str) -> None:
    """Check a signature's own time, seconds since the epoch, against ours.

    Raises:
        OutsideReplayWindow: it is too far from it, either way.
    """
    if not abs(at.timestamp() - signed_at) <= REPLAY_WINDOW_SECONDS:
        message = f"the signature is more than {REPLAY_WINDOW_SECONDS} seconds off"
        raise OutsideReplayWindow(message, field=header)


def header_text(value: str | None, header: str) -> str:
    """A signature's header as it came.

    Raises:
        BadSignature: it is missing, or longer than any partner's.
    """
    if value and len(value) <= LONGEST_HEADER:
        return value
    message = f"the {header} header is missing or malformed"
    raise BadSignature(message, field=header)


def unbase64(text: bytes) -> bytes:
    """What base64 stands for; nothing where it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


# --- what a piece says -------------------------------------------------------------------


def understood(raw: bytes, event: Callable[[Any], PartnerEvent]) -> PartnerEvent:
    """What `event` reads from a piece's JSON; numbers with a fraction are Decimal.

    Raises:
        NotAnEvent: it cannot.
    """
    try:
        return event(json.loads(raw, parse_float=Decimal, parse_constant=_no_number))
    except NOT_AN_EVENT:
        pass
    message = "the body is no event of this partner that we understand"
    raise NotAnEvent(message)


def text(value: Any) -> str:
    """A name: 1 to 255 printable characters without a slash."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or not value.isprintable() or "/" in value:
        message = "an identifier is 1 to 255 printable characters without a slash"
        raise ValueError(message)
    return value


def whole(value: Any) -> int:
    """A whole number, and no truth value."""
    if type(value) is not int:
        message = "an amount or time is a whole number"
        raise TypeError(message)
    return value


def signed_minor(amount: Any, currency: Any) -> Money:
    """An amount in minor units, of either sign, or none at all."""
    return Money(whole(amount), text(currency).upper())


def minor(amount: Any, currency: Any) -> Money:
    """A positive amount in minor units."""
    return _positive(signed_minor(amount, currency))


def major(amount: Any, currency: Any) -> Money:
    """A positive amount in major units, whole or decimal, that is exact in minor ones."""
    code = text(currency).upper()
    if type(amount) not in {int, Decimal}:
        message = "an amount is a number"
        raise TypeError(message)
    units = Decimal(amount).scaleb(minor_digits(code))
    if units != units.to_integral_value():
        message = "an amount has no more digits than its currency"
        raise ValueError(message)
    return _positive(Money(int(units), code))


def _positive(money: Money) -> Money:
    if money.amount <= 0:
        message = "an amount is positive"
        raise ValueError(message)
    return money


def seconds(value: Any) -> datetime:
    """An instant in seconds since the epoch."""
    return datetime.fromtimestamp(whole(value), UTC)


def instant(value: Any) -> datetime:
    """An instant in ISO 8601 with its offset."""
    found = datetime.fromisoformat(text(value))
    if found.tzinfo is None:
        message = "an instant has an offset"
        raise ValueError(message)
    return found.astimezone(UTC)


def our_id(value: Any) -> str:
    """An id of ours where a partner carries it back; nothing for what else stands there."""
    return value if isinstance(value, str) and _OUR_ID.fullmatch(value) else ""


def our_reference(value: Any) -> str:
    """The numbers of invoices of ours that a text names, with blanks between; nothing if they are too many.

    Whatever else payers write is not for the books.
    """
    named = set(_OUR_NUMBER.findall(value.upper())) if isinstance(value, str) else set()
    return " ".join(sorted(named)) if len(named) <= MATCHED_NUMBERS else ""


def _no_number(constant: str) -> Any:
    message = f"{constant} is no number of JSON's"
    raise ValueError(message)
