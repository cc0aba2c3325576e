"""Balances carried forward: what hard-closed months add up to, kept so that nobody adds it up again.

`carried/{account}~{month}` holds an account's sums of all months through one, by currency. When they may be used
is said by one document, `chains/carried`: which months it rests on and at which version of each (`months`), and
for which of them there are carried documents (`stops`). A reader compares the versions with the periods of its own
snapshot, oldest first: from the first month on that is open, unknown to the chain or of another version, nothing
carried is used. So a reopened month, and a month that nobody knew of, need tell nobody: readers see it by themselves.

Why that is enough: nothing lands in a month that is hard closed and of which no live totals are left (docs/ledger.md,
rules 1 and 2) without its period's version being raised first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, cast

from shared.identity import TenantId
from shared.ledger.model import AccountCode, Month, Period, PeriodState
from shared.ledger.rules.reports import Sums
from shared.ports import Document, Fields, Increment, Ref, Value, tenant_ref

COLLECTION: Final = "carried"

Versions = Mapping[Month, int]
"""The version of each month's period, oldest month first."""


def chain_ref(tenant: TenantId) -> Ref:
    """What the carried balances rest on."""
    return tenant_ref(tenant, "chains", "carried")


def carried_ref(tenant: TenantId, account: AccountCode, through: Month) -> Ref:
    """An account's balance through the end of a month."""
    return tenant_ref(tenant, COLLECTION, f"{account}~{through}")


@dataclass(frozen=True, slots=True)
class Chain:
    """What the carried balances rest on.

    `running` are the months that whoever carries now rests on: a claim, so that what another one wrote late, on
    other versions, fails. `repairs` counts explicit repairs of totals; balances carried before the last are not used.
    """

    months: Versions = field(default_factory=dict)
    stops: tuple[Month, ...] = ()
    running: Versions = field(default_factory=dict)
    repairs: int = 0
    carried_at_repairs: int = 0

    def stop(self, periods: Iterable[Period], through: Month) -> Month | None:
        """The latest month, not after `through`, whose carried balances are right as these periods stand."""
        return max((stop for stop in self.sound_stops(periods) if stop <= through), default=None)

    def sound_stops(self, periods: Iterable[Period]) -> tuple[Month, ...]:
        """The months whose carried balances may be used as these periods stand."""
        if self.repairs != self.carried_at_repairs:
            return ()
        end = self.sound_through(periods)
        return tuple(stop for stop in self.stops if stop <= end)

    def claimed(self, periods: Iterable[Period]) -> "Chain":
        """The chain with what is no longer right taken away, and a claim to carry all closed months forward."""
        known = tuple(periods)
        sound = replace(self, months={}, stops=()) if self.repairs != self.carried_at_repairs else self
        end = sound.sound_through(known)
        return replace(
            sound,
            months={month: version for month, version in sound.months.items() if month <= end},
            stops=tuple(stop for stop in sound.stops if stop <= end),
            running=closed_months(known),
            carried_at_repairs=self.repairs,
        )

    def finished(self) -> "Chain":
        """The chain once the claimed months are carried."""
        stops = (*self.stops, max(self.running))
        return replace(self, months=self.running, stops=tuple(sorted(set(stops))), running={})

    def sound_through(self, periods: Iterable[Period]) -> Month:
        """The last month up to which every period is closed at the version that the chain rests on."""
        end = ""
        for month, version in closed_months(periods).items():
            if self.months.get(month) != version:
                break
            end = month
        return end


def closed_months(periods: Iterable[Period]) -> dict[Month, int]:
    """The months from the first on that are hard closed without one open between, with their versions."""
    months: dict[Month, int] = {}
    for period in sorted(periods, key=lambda period: period.month):
        if period.state is not PeriodState.HARD_CLOSED:
            break
        months[period.month] = period.version
    return months


def repaired(tenant: TenantId) -> Increment:
    """To be written with every repair of totals: what was carried before is not used any more."""
    return Increment(chain_ref(tenant), {("repairs",): 1}, must_exist=False, fields={"schema": 1})


def read_chain(document: Document | None) -> Chain:
    """The chain that a document keeps; none was carried where there is none."""
    fields: Fields = document.fields if document else {}
    return Chain(
        months=_versions(fields.get("months")),
        stops=tuple(cast("list[str]", fields.get("stops", []))),
        running=_versions(fields.get("running")),
        repairs=cast("int", fields.get("repairs", 0)),
        carried_at_repairs=cast("int", fields.get("carried_at_repairs", 0)),
    )


def write_chain(chain: Chain) -> dict[str, Value]:
    """The chain's fields."""
    return {
        "schema": 1,
        "months": dict(chain.months),
        "stops": list(chain.stops),
        "running": dict(chain.running),
        "repairs": chain.repairs,
        "carried_at_repairs": chain.carried_at_repairs,
    }


def _versions(value: Value) -> Versions:
    months = cast("Mapping[str, int]", value or {})
    return {month: months[month] for month in sorted(months)}


def write_carried(account: AccountCode, through: Month, sums: Mapping[str, Sums]) -> dict[str, Value]:
    """The fields of an account's carried balance, by currency."""
    amounts = {
        currency: {"debits": amount.debits, "credits": amount.credits, "count": amount.count}
        for currency, amount in sorted(sums.items())
    }
    return {"schema": 1, "account": account, "month": through, "sums": amounts}


def read_carried(document: Document) -> dict[tuple[AccountCode, str], Sums]:
    """An account's carried sums by account and currency."""
    account = cast("str", document["account"])
    sums = cast("Mapping[str, Mapping[str, int]]", document["sums"])
    return {
        (account, currency): Sums(amount["debits"], amount["credits"], amount["count"])
        for currency, amount in sums.items()
    }
