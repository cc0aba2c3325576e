"""What every dialect is made of: a request, a reply, and a strict reading that ends in a value, a refusal or a retry.

An answer may be anything: a partner's mistake, a proxy's error page, somebody else's thing. What cannot be understood
is no answer, so it is asked again; nothing of it is repeated in a fault, for it may hold a payer's name.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

from shared.faults import Retryable
from shared.identity import stored_id
from shared.payments.model import Stage
from shared.payments.partners.api import Accepted, Named, PayoutItems, RefundOrder, Truth
from shared.payments.partners.reading import NOT_AN_EVENT
from shared.payments.refusals import NotAskable, PartnerRefused

T = TypeVar("T")

_SUCCESS: Final = range(200, 300)
_TRY_LATER: Final = frozenset({408, 409, 425, 429})
"""Too slow, in progress elsewhere, too early, too many."""
_REFUSED: Final = range(400, 500)
_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NOWHERE: Final = frozenset({".", ".."})
_KEY_CHARACTERS: Final = 64
"""Longest idempotency key that every partner takes (Adyen and Airwallex say 64)."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A tenant's way into a partner's API: its address, and what proves us there; never printed."""

    url: str
    value: str = field(repr=False)
    client_id: str = field(default="", repr=False)
    """Where a partner wants two words, the first of them."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request below the API's address; headers and body are never printed."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, and the JSON that came with it: numbers with a fraction are Decimal, None where it is no JSON."""

    status: int
    said: Any = field(default=None, repr=False)

    @property
    def is_success(self) -> bool:
        """Any 2xx."""
        return self.status in _SUCCESS


Ask = Callable[[Request], Reply]
"""Sends one request; raises Retryable where no reply comes."""


class Dialect(Protocol):
    """How one partner's API is spoken."""

    def truth(self, ask: Ask, key: ApiKey, named: Named) -> Truth:
        """See `PartnerApi.truth`."""
        ...

    def payout_items(self, ask: Ask, key: ApiKey, payout: Named, cursor: str) -> PayoutItems:
        """See `PartnerApi.payout_items`."""
        ...

    def refund(self, ask: Ask, key: ApiKey, order: RefundOrder) -> Accepted:
        """See `PartnerApi.refund`."""
        ...


# --- requests ----------------------------------------------------------------------------


def segment(reference: str) -> str:
    """A partner's id as one part of a path.

    Raises:
        NotAskable: it would lead elsewhere.
    """
    if not reference or reference in _NOWHERE:
        raise not_askable()
    return quote(reference, safe="")


def json_body(said: Mapping[str, Any]) -> bytes:
    """A JSON object."""
    return json.dumps(said, separators=(",", ":")).encode()


def once(key: str) -> str:
    """An idempotency key that every partner takes: a longer one stands for itself by its hash."""
    return key if len(key) <= _KEY_CHARACTERS else stored_id("partner idempotency", key)


def not_askable() -> NotAskable:
    """No such question in this partner's API."""
    message = "this partner's API cannot be asked this"
    return NotAskable(message, field="partner")


# --- replies -----------------------------------------------------------------------------


def read_json(body: bytes) -> Any:
    """The JSON of a body; None where it is none."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, ArithmeticError):
        return None


def settled(partner: str, reply: Reply, code: Callable[[Any], Any]) -> Any:
    """What a good reply says; `code` finds the partner's own word for a refusal in a bad one.

    Raises:
        PartnerRefused: the partner says no, for good.
        Retryable: it says later, is broken, or says what nobody should say.
    """
    if reply.is_success:
        return reply.said
    if reply.status in _TRY_LATER or reply.status not in _REFUSED:
        message = "the partner's API did not answer the question"
        raise Retryable(message, detail={"partner": partner, "status": reply.status})
    message = "the partner's API says no"
    found = code_of(reply.said, code) or f"http_{reply.status}"
    raise PartnerRefused(message, field="partner", detail={"partner": partner, "code": found, "status": reply.status})


def code_of(said: Any, code: Callable[[Any], Any]) -> str:
    """The partner's word for a refusal; nothing where none is found, or where it is no word."""
    try:
        found = code(said)
    except NOT_AN_EVENT:
        return ""
    return found if isinstance(found, str) and _CODE.fullmatch(found) else ""


def understand(partner: str, said: Any, read: Callable[[Any], T]) -> T:
    """What `read` finds in a good reply.

    Raises:
        Retryable: it is not in the partner's format, or about something else.
        NotAskable: as `read` says.
    """
    try:
        return read(said)
    except NotAskable:
        raise
    except NOT_AN_EVENT:
        pass
    message = "the partner's API answered what we do not understand"
    raise Retryable(message, detail={"partner": partner})


def about(named: Named, identity: Any) -> None:
    """Check that an answer is about what was asked.

    Raises:
        ValueError: it is about something else.
    """
    if identity != named.reference:
        message = "the answer is about something else"
        raise ValueError(message)


def onward(cursor: str, before: str) -> str:
    """Where the next page begins; one that begins where this one did would have no end.

    Raises:
        ValueError: it is the same.
    """
    if cursor == before:
        message = "the next page is this one again"
        raise ValueError(message)
    return cursor


def stage_of(stages: Mapping[str, Stage], status: Any) -> Stage:
    """The stage that a partner's word means.

    Raises:
        ValueError: it is no word that we know.
    """
    found = stages.get(status) if isinstance(status, str) else None
    if found is None:
        message = "the thing stands as we know no word for"
        raise ValueError(message)
    return found


def _no_number(constant: str) -> Any:
    message = f"{constant} is no number of JSON's"
    raise ValueError(message)
