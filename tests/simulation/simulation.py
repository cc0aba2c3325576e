"""A seed from its first minute to its rest: what happened, and what was violated."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, cast

from shared.identity import TenantId
from tests.simulation.at_rest import at_rest
from tests.simulation.business import Business
from tests.simulation.cash_applied import CashWatch
from tests.simulation.cloud import Cloud
from tests.simulation.documents import Stored
from tests.simulation.doors import SCHEDULES
from tests.simulation.faults import Fault
from tests.simulation.invariants import Watch
from tests.simulation.money_back import Payable, resting
from tests.simulation.staff import begin, open_business
from tests.simulation.told_at_rest import LANES
from tests.simulation.world import World

TENANTS: Final = (TenantId("acme"), TenantId("bolt"))
HOURS: Final = 5
"""Virtual hours in which things fail; then they heal."""

LATER: Final = timedelta(minutes=10)
REST_DAYS: Final = 12
"""Virtual days within which a healed world must be at rest: events wait three days for what they are about, and
webhooks are tried for three days, or as long as a receiver asks."""


@dataclass(frozen=True)
class Result:
    """What one seed came to."""

    seed: int
    trace: str
    violations: tuple[str, ...]
    steps: int
    handled: int
    virtual_hours: float
    faults: Counter[tuple[str, Fault]]
    outcomes: dict[str, int]
    calls: Counter[tuple[str, str]]
    """Handlers and the verbs that they called."""
    script: tuple[tuple[int, str, Fault], ...]
    log: tuple[str, ...] = ()


def simulate(seed: int, *, allowed: frozenset[int] | None = None, log: bool = False) -> Result:
    """Run a seed; with `allowed`, only those of its faults, by their numbers."""
    world = World(seed)
    world.faults.allowed = allowed
    if log:
        world.log = []
    cloud = Cloud(world)
    watch = Watch(world)
    cash = CashWatch(world, watch, cloud.store.documents)
    cloud.store.observers += [watch.look, Payable(world, watch).look, cash.look]
    cloud.topics.told = watch.sent
    cloud.tasks.told = watch.handed_over.add
    businesses = [open_business(cloud, tenant, watch) for tenant in TENANTS[: world.random.randint(1, 2)]]
    for business in businesses:
        begin(business)
    for door in SCHEDULES:
        world.after(world.random.uniform(0, 600), partial(cloud.fire, door))
    _plan(cloud, businesses)
    healed = world.now + timedelta(hours=HOURS)
    world.at(healed, lambda: _heal(cloud))
    world.run(lambda: world.now >= healed)
    limit = world.now + timedelta(days=REST_DAYS)
    world.run(lambda: _resting(cloud, businesses) or world.now > limit)
    if not world.violations and not _resting(cloud, businesses):
        world.violated(f"not at rest after {REST_DAYS} days")
    if not world.violations:
        for business in businesses:
            at_rest(business, watch)
    return Result(
        seed,
        world.trace,
        tuple(world.violations),
        world.steps,
        world.handled,
        world.monotonic() / 3_600,
        world.faults.happened,
        cloud.outcomes,
        world.calls,
        tuple(world.faults.script),
        tuple(world.log or ()),
    )


def _plan(cloud: Cloud, businesses: list[Business]) -> None:
    """Outages, rotations and switches of secrets, at hours of their own."""
    world = cloud.world
    for _ in range(world.random.randint(0, 6)):
        if Fault.OUTAGE in world.faults.chances:
            service = world.random.choice(("store", "keysets", "tasks", "topics", "keys", "secrets"))
            seconds = world.random.choice((20.0, 120.0, 900.0, 3_600.0))
            world.after(world.random.uniform(0, HOURS * 3_000), partial(_outage, world, service, seconds))
    if Fault.ROTATION in world.faults.chances:
        world.after(world.random.uniform(0, HOURS * 3_600), lambda: _rotated(cloud))
    if Fault.SECRET in world.faults.chances:
        for business in businesses:
            world.after(world.random.uniform(0, HOURS * 3_600), partial(_switched, business))


def _outage(world: World, service: str, seconds: float) -> None:
    if world.faults.take(service, Fault.OUTAGE):
        world.out[service] = world.now + timedelta(seconds=seconds)


def _rotated(cloud: Cloud) -> None:
    if cloud.world.faults.take("keys", Fault.ROTATION):
        cloud.keys.rotate()


def _switched(business: Business) -> None:
    if business.cloud.world.faults.take("receive_webhook", Fault.SECRET):
        business.stripe.switch_secret()


def _heal(cloud: Cloud) -> None:
    """Nothing fails any more, and somebody sends the dead letters again."""
    cloud.world.faults.healed = True
    cloud.world.out.clear()
    for post in cloud.posts:
        post.again()


def _resting(cloud: Cloud, businesses: list[Business]) -> bool:
    """Whether everybody is done and nothing is on its way."""
    return (
        all(person.done for business in businesses for person in business.people)
        and not any(
            business.stripe.sending or business.acquirer.sending or business.bank.sending for business in businesses
        )
        and not any(one.busy for one in cloud.instances)
        and not _on_their_way(cloud)
        and not _outbox(cloud)
        and not _standing(cloud)
        and resting(cloud.store.documents.now())
        and _swept(cloud)
    )


def _on_their_way(cloud: Cloud) -> bool:
    """Whether anything is to come: in most worlds but the attempts at webhooks that wait for their time."""
    soon = cloud.world.now + LATER
    return any(
        door not in LANES or when <= soon or cloud.world.patient
        for post in cloud.posts
        for door, _, when in post.held.values()
    )


def _outbox(cloud: Cloud) -> list[str]:
    documents = cloud.store.documents
    return [name for name in documents.by_collection.get("outbox", ()) if documents.get(name)]


def _standing(cloud: Cloud) -> bool:
    """Whether a payroll run still goes on."""
    documents = cloud.store.documents
    states = [documents.get(name) for name in documents.by_collection.get("payroll_runs", ())]
    return any(state and state.fields["state"] in {"calculating", "posting"} for state in states)


def _swept(cloud: Cloud) -> bool:
    """Whether the schedules have done their work: no hold outlives its time, monitors were looked at, all is sealed."""
    documents = list(cloud.store.documents.now().values())
    if any(_waits(one, cloud.world.now) for one in documents):
        return False
    tenants = {one.name.split("/")[-3] for one in documents if one.collection == "entries"}
    sealed = {one.name.split("/")[-3] for one in documents if one.collection == "seals"}
    return tenants <= sealed


def _waits(one: Stored, now: datetime) -> bool:
    """Whether a hold is overdue, or a monitor was never looked at."""
    if one.collection == "holds":
        return one.fields["state"] == "reserved" and cast("datetime", one.fields["expires_at"]) < now
    return one.collection == "monitors" and bool(one.fields["watched"]) and one.fields["seen"] is None
