"""A small house for the frame: a fixed clock, counted ids, three known keys, one secret, and doors that do little."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from shared import counters
from shared.calls import Call, Done
from shared.desk import RecordedRefusal
from shared.faults import Conflict, Kind, NotFound, Retryable, Unauthenticated
from shared.http.api import Api
from shared.http.house import Credential
from shared.identity import TenantId
from shared.keys import SecretMissing
from shared.listing import Listing
from shared.settings import Settings
from shared.wire import DecimalText, Identifier, IsoDate, MoneyWire, PageAnswer, PageQuery, ShortText, Wire
from tests.builders import ACME, NOON

ACCOUNTANT, AUDITOR, STRANGER = "db_acme_k1_accountant", "db_acme_k2_auditor", "db_acme_k9_unknown"


@dataclass
class FixedClock:
    """Tells one instant until it is told another."""

    instant: datetime = NOON

    def now(self) -> datetime:
        """The instant."""
        return self.instant


@dataclass
class CountedIds:
    """Tokens one after another."""

    drawn: int = 0

    def token(self, size_bytes: int) -> str:
        """The next token."""
        self.drawn += 1
        return f"token{self.drawn}x{size_bytes}"


@dataclass(frozen=True)
class KnownSecrets:
    """Secrets by name."""

    values: Mapping[str, tuple[bytes, ...]]

    def versions(self, name: str) -> tuple[bytes, ...]:
        """The secret's values, newest first."""
        if name not in self.values:
            raise SecretMissing(name)
        return self.values[name]


@dataclass(frozen=True)
class Holder:
    """Who holds a key."""

    tenant: TenantId
    principal: str
    role: str


@dataclass
class KeyRegister:
    """API keys by their text."""

    holders: dict[str, Holder] = field(
        default_factory=lambda: {
            ACCOUNTANT: Holder(ACME, "user:ann", "accountant"),
            AUDITOR: Holder(ACME, "user:bob", "auditor"),
        }
    )

    def authenticate(self, bearer_token: str, at: datetime) -> Credential:
        """Whose key this is."""
        assert at == NOON
        if bearer_token not in self.holders:
            message = "this key opens nothing"
            raise Unauthenticated(message)
        return self.holders[bearer_token]


SETTINGS = Settings(
    project="daybook-test",
    region="europe-west2",
    database="(default)",
    keysets_database="keysets",
    kms_key="projects/p/locations/l/keyRings/r/cryptoKeys/k",
    doors_url="https://doors.test",
    oidc_issuer="https://issuer.test",
    oidc_jwks_url="https://issuer.test/jwks",
    callers_domain="daybook-test.iam.gserviceaccount.com",
)


@dataclass
class Rooms:
    """What the frame asks a house for."""

    settings: Settings = SETTINGS
    clock: FixedClock = field(default_factory=FixedClock)
    ids: CountedIds = field(default_factory=CountedIds)
    secrets: KnownSecrets = field(default_factory=lambda: KnownSecrets({"request-hash": (b"secret", b"older")}))
    credentials: KeyRegister = field(default_factory=KeyRegister)


# --- a door with one route of each sort --------------------------------------------------


class Line(Wire):
    """A line of an order."""

    description: ShortText
    quantity: DecimalText
    price: MoneyWire


class Order(Wire):
    """What the writing route takes."""

    reference: Identifier
    on: IsoDate
    count: int
    lines: tuple[Line, ...]


class ThingPath(Wire):
    """A thing's id."""

    id: Annotated[Identifier, Field(examples=["thing-1"])]


class ThingAnswer(Wire):
    """What every route answers."""

    id: str

    @classmethod
    def of(cls, thing: str) -> Self:
        """A thing by its id."""
        return cls(id=thing)


@dataclass
class Counter:
    """What stands behind the door: it keeps every call it was given."""

    calls: list[Call] = field(default_factory=list)

    def take(self, call: Call, thing: str) -> Done[str]:
        """Keep the call and do what the thing's name says."""
        self.calls.append(call)
        counters.current().writes += 3
        match thing:
            case "conflict":
                message = "it is taken"
                raise Conflict(message, field="reference", detail={"taken_by": "order-1"})
            case "busy":
                message = "not now"
                raise Retryable(message)
            case "bug":
                message = "could not parse GB29NWBK60161331926819"
                raise ValueError(message)
            case "again":
                return Done(thing, replayed=True)
            case "conflict-again":
                message = "it was taken"
                raise RecordedRefusal(Conflict.code, Kind.CONFLICT, message)
            case _:
                return Done(thing)


def a_door(rooms: Rooms, counter: Counter) -> Api:
    """The customers door with a writing, a reading and a listing route."""
    api = Api("customers", lambda: rooms)

    @api.route("POST", "/v1/customers", status=201, answers=ThingAnswer)
    def place(call: Call, body: Order) -> Done[str]:
        """Place an order."""
        return counter.take(call, body.reference)

    @api.route("GET", "/v1/customers/{id}", answers=ThingAnswer)
    def show(call: Call, path: ThingPath) -> str:
        """Show a thing."""
        counter.take(call, path.id)
        if path.id == "missing":
            message = "no such thing"
            raise NotFound(message)
        return path.id

    @api.route("GET", "/v1/customers", answers=PageAnswer[ThingAnswer])
    def list_things(call: Call, query: PageQuery) -> Listing[str]:
        """List things."""
        counter.take(call, "list")
        return Listing(("a", "b")[: query.limit], "next")

    return api


def an_invoice_door(rooms: Rooms, counter: Counter) -> Api:
    """The invoices door, whose issuing route takes no body."""
    api = Api("invoices", lambda: rooms)

    @api.route("POST", "/v1/invoices/{id}/issue", answers=ThingAnswer)
    def issue(call: Call, path: ThingPath) -> Done[str]:
        """Issue an invoice."""
        return counter.take(call, path.id)

    return api


def a_calculator(rooms: Rooms, counter: Counter) -> Api:
    """The tax door, whose POST writes nothing."""
    api = Api("calculate_tax", lambda: rooms)

    @api.route("POST", "/v1/tax/calculations", answers=ThingAnswer, writes=False)
    def calculate(call: Call, body: ThingPath) -> str:
        """Calculate."""
        counter.take(call, body.id)
        return body.id

    return api
