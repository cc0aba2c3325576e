"""What a posting would be answered: the slow path's own decision on one snapshot, and nothing is written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from shared.calls import Call
from shared.desk import Desk
from shared.faults import Refused
from shared.identity import TenantId
from shared.ledger.model import AccountCode, JournalEntry
from shared.ledger.records import entry_ref
from shared.ledger.rules.batches import gather_refs, gather_slow
from shared.ledger.rules.posting import accounts_seen, available, guard_of, moved, plan_slow, slow_refs
from shared.ledger.use_cases.batches import Batch, Mode, judge_linked, naming
from shared.ledger.use_cases.together import Posting, again
from shared.ports import Decision, View


class Would(Enum):
    """What the real request would come to."""

    POST = "post"
    REFUSE = "refuse"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """The verdict on one entry."""

    would: Would
    refusal: Refused | None = None


@dataclass(frozen=True, slots=True)
class DryRun:
    """The verdicts in order, and by account with a floor what could be taken from it afterwards, minor units."""

    results: tuple[DryRunResult, ...]
    available: Mapping[AccountCode, int]


class DryRuns:
    """Decides without writing."""

    def __init__(self, desk: Desk) -> None:
        """Read from the store that `desk` writes to."""
        self._store = desk.store

    def entry(self, call: Call, entry: JournalEntry) -> DryRun:
        """What `Books.post` would answer at this instant.

        Raises:
            Retryable: as the posting would be; or the store did not answer.
        """

        def decide(view: View) -> Decision[DryRun]:
            view.need(slow_refs(call.tenant, entry))
            found = _found(Posting(call, entry), view)
            result = found or _verdict(plan_slow(call.tenant, entry, view).refusal)
            return Decision(DryRun((result,), _funds(call.tenant, [(entry, result)], view)))

        return self._store.transact(slow_refs(call.tenant, entry), decide)

    def batch(self, call: Call, batch: Batch) -> DryRun:
        """What `Batches.post` would answer at this instant, entry by entry.

        Of a linked batch that would be refused, the entry at fault has the refusal; the rest have none of their own.

        Raises:
            Retryable: an account is in a transition; or the store did not answer.
        """
        judge = _linked if batch.mode is Mode.LINKED else _independent
        refs = gather_refs(call.tenant, batch.entries, {})

        def decide(view: View) -> Decision[DryRun]:
            view.need(tuple(refs))
            results = iter(judge(call.tenant, batch, view))
            judged = [_verdict(one) if isinstance(one, Refused) else next(results) for one in batch.places]
            places = zip(batch.places, judged, strict=True)
            postings = [(one.entry, result) for one, result in places if isinstance(one, Posting)]
            return Decision(DryRun(tuple(judged), _funds(call.tenant, postings, view)))

        return self._store.transact(tuple(refs), decide)


def _linked(tenant: TenantId, batch: Batch, view: View) -> Iterable[DryRunResult]:
    refusals = judge_linked(tenant, batch, view).refusals
    if not refusals:
        return [DryRunResult(Would.POST) for _ in batch.entries]
    ((at, refusal),) = refusals.items()
    named = naming(batch, at, refusal)
    return [DryRunResult(Would.REFUSE, named if place == at else None) for place in range(len(batch.entries))]


def _independent(tenant: TenantId, batch: Batch, view: View) -> Iterable[DryRunResult]:
    found = [_found(posting, view) for posting in batch.postings]
    rest = [posting.entry for posting, known in zip(batch.postings, found, strict=True) if known is None]
    gathered = gather_slow(tenant, rest, view, batch.id, linked=False)
    if gathered.wait:
        raise next(iter(gathered.wait.values()))
    fresh = iter([_verdict(gathered.refusals.get(place)) for place in range(len(rest))])
    return [known or next(fresh) for known in found]


def _found(posting: Posting, view: View) -> DryRunResult | None:
    known = view[entry_ref(posting.call.tenant, posting.entry.id)]
    if known is None:
        return None
    outcome = again(posting, known).outcome
    return DryRunResult(Would.REFUSE, outcome) if isinstance(outcome, Refused) else DryRunResult(Would.REPLAY)


def _verdict(refusal: Refused | None) -> DryRunResult:
    return DryRunResult(Would.REFUSE, refusal) if refusal else DryRunResult(Would.POST)


def _funds(tenant: TenantId, judged: Iterable[tuple[JournalEntry, DryRunResult]], view: View) -> dict[AccountCode, int]:
    """What could be taken from the floored accounts once all is done that would be."""
    funds: dict[AccountCode, int] = {}
    for entry, result in judged:
        for code, account in accounts_seen(tenant, entry, view).items():
            if account.floor is None:
                continue
            if code not in funds:
                funds[code] = available(tenant, account, guard_of(tenant, account, view), view)
            if result.would is Would.POST:
                received, spent = moved(entry.lines, account)
                funds[code] += received - spent
    return funds
