"""The inbox while a partner's own API answers at once, hangs or fails: its events are acknowledged no slower.

GoCardless's events do not say how much, so each sets a task that asks GoCardless. The queue of those runs meanwhile.
"""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Final

from emulators.partner_apis.things import Known
from emulators.partners import PARTNERS
from emulators.partners.telling import Happening
from shared.money import Money
from shared.payments.model import EventKind, Thing
from shared.payments.partners.adapter import Secret
from shared.payments.use_cases.inbox import ASKS_QUEUE
from tests.bench.load import Request, at_full_load
from tests.bench.rows import Row
from tests.bench.world import TENANT, World

PARTNER: Final = "gocardless"
EACH: Final = 500
"""Acknowledgments of a round."""
ROUNDS: Final = 3
THREADS: Final = 8
BAR: Final = 0.8
MONEY: Final = Money(1_000, "GBP")

TROUBLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "answers": {},
    "hangs": {"kind": "silent", "seconds": 0.5},
    "fails": {"kind": "status", "status": 503},
}
"""What its API does. It hangs so long that five of the local host's 16 threads wait for it: here all doors share them,
in production the one that asks has instances of its own.
"""

_numbers: Final = count(1)


def rows(world: World) -> Iterator[Row]:
    """Acknowledgments a second beside each trouble, and how often the partner was asked meanwhile."""
    world.cloud.make_partner_key(TENANT, PARTNER)
    secret = world.cloud.signing_secret(TENANT, PARTNER)
    best, asked = dict.fromkeys(TROUBLES, 0.0), dict.fromkeys(TROUBLES, 0)
    for turn in range(ROUNDS + 1):  # the first only warms up
        for name, trouble in TROUBLES.items():
            before, told = len(world.cloud.partners.asked(PARTNER)), _payments(world, secret)
            world.cloud.partners.heal(PARTNER)
            if trouble:
                world.cloud.partners.trouble(PARTNER, times=EACH, **trouble)
            with world.running(ASKS_QUEUE):
                rate = at_full_load(world.cloud.doors_url, told, THREADS)
            world.purge(ASKS_QUEUE)
            asked[name] += len(world.cloud.partners.asked(PARTNER)) - before
            best[name] = max(best[name], rate) if turn else 0.0
    how = f"POST by {THREADS} threads, {EACH} of GoCardless's events a round, best of {ROUNDS} alternating rounds"
    yield Row("inbox, partner's API answers", best["answers"], "answers/s", how)
    for name in ("hangs", "fails"):
        row = Row(f"inbox, partner's API {name}", best[name], "answers/s", how, best[name] / best["answers"])
        yield row.at_least(BAR)
    yield Row("inbox: askings meanwhile, fewest", min(asked.values()), "requests", "of each kind of round")


def _payments(world: World, secret: Secret) -> list[Request]:
    """Direct debits that GoCardless knows of, told one by one and signed now."""
    partner, at = PARTNERS[PARTNER], world.house.clock.now()
    told = []
    for number in (next(_numbers) for _ in range(EACH)):
        name = f"PM{number}"
        world.cloud.partners.feed(Known(PARTNER, Thing.PAYMENT, name, MONEY.amount, MONEY.currency, "confirmed"))
        happening = Happening(EventKind.PAYMENT_SUCCEEDED, f"EV{number}", at, MONEY, payment=name)
        body = partner.body([partner.event(happening)], secret)
        told.append(Request(f"/v1/webhooks/{TENANT}/{PARTNER}", body, partner.headers(body, at, secret)))
    return told
