"""What tenants do about webhooks: endpoints, filters, new secrets; and what failed is sent again, one or a range."""

from datetime import timedelta
from functools import partial
from typing import Any, Final

from shared.calls import Done
from shared.faults import Refused
from shared.webhooks.model import DeliveryState, Range
from shared.webhooks.use_cases.endpoints import NewEndpoint, Shown
from tests.simulation.business import Business, Made, answer
from tests.simulation.people import Person
from tests.simulation.receivers import Receiver

FILTERS: Final = (("*",), ("*",), ("payment.*", "invoice.issued"), ("ledger.*", "webhook_endpoint.*"))
HALF: Final = 0.5
ENDPOINTS: Final = "POST /v1/webhook_endpoints"
ROTATE: Final = "POST /v1/webhook_endpoints/rotate_secret"
DISABLE: Final = "POST /v1/webhook_endpoints/disable"
ENABLE: Final = "POST /v1/webhook_endpoints/enable"
RESEND: Final = "POST /v1/webhook_endpoints/deliveries/resend"
RESENDS: Final = "POST /v1/webhook_endpoints/resends"
LOG: Final = "GET /v1/webhook_endpoints/deliveries"


def being_told(person: Person, business: Business) -> None:
    """An endpoint or two from the first minute; for each somebody who looks after it."""
    random = business.cloud.world.random
    for _ in range(random.randint(1, 2)):
        receiver = business.cloud.receivers.new(business.tenant)
        new = NewEndpoint(receiver.url, random.choice(FILTERS), "told by the simulator")
        shown = answer(person.ask(ENDPOINTS, _create(new)))
        receiver.endpoint, receiver.secret = shown.endpoint.id, shown.secret
        business.employ("operator", partial(_operating, receiver=receiver))


def _create(new: NewEndpoint) -> Made:
    return lambda house, call: house.webhooks.endpoints.create(call, new)


def _operating(person: Person, business: Business, *, receiver: Receiver) -> None:
    world = business.cloud.world
    if receiver.secret is None or world.random.random() < HALF:
        _rotating(person, receiver)
    for _ in range(world.random.randint(1, 3)):
        person.think(40)
        if world.random.random() < HALF / 2:
            person.ask(DISABLE, _of_endpoint("disable", receiver))
            person.think(20)
        person.ask(ENABLE, _of_endpoint("enable", receiver))
        _sending_again(person, receiver)


def _rotating(person: Person, receiver: Receiver) -> None:
    """Until a secret is seen; the system takes it an hour or ten later, while both sign."""
    world = person.cloud.world
    fresh = None
    while fresh is None:
        shown: Shown | None = answer(person.ask(ROTATE, _of_endpoint("rotate", receiver)))
        if shown is None:  # four are live already
            return
        fresh = shown.secret
    if receiver.secret is None:
        receiver.secret, receiver.knows_since = fresh, world.now + timedelta(seconds=10)  # clocks differ by less
    else:
        world.after(world.random.choice((3_600.0, 36_000.0)), lambda: setattr(receiver, "secret", fresh))


def _of_endpoint(action: str, receiver: Receiver) -> Made:
    def run(house: Any, call: Any) -> Done[Any]:
        done: Done[Any] = getattr(house.webhooks.endpoints, action)(call, receiver.endpoint)
        return done

    return run


def _sending_again(person: Person, receiver: Receiver) -> None:
    """The failed ones: the youngest alone, or all of the last day."""
    world = person.cloud.world
    failed = person.ask(LOG, partial(_page, receiver=receiver), once=False)
    if isinstance(failed, Refused) or not failed.items:
        return
    if world.random.random() < HALF:
        delivery = failed.items[0].id
        person.ask(RESEND, lambda house, call: house.webhooks.resending.one(call, receiver.endpoint, delivery))
        return
    wanted = Range(receiver.endpoint, world.begins, failed.items[0].created_at, DeliveryState.FAILED)
    person.ask(RESENDS, lambda house, call: house.webhooks.resending.begin(call, wanted))


def _page(house: Any, call: Any, *, receiver: Receiver) -> Any:
    log = house.webhooks.log
    return log.page(call.tenant, receiver.endpoint, None, limit=10, cursor=None)
