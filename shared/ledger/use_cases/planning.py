"""How one entry is planned: fast while nothing failed, else on the slow path (docs/ledger.md, rules 1, 3, 4)."""

from collections.abc import Sequence

from shared.identity import TenantId
from shared.ledger.model import JournalEntry, Line
from shared.ledger.records import entry_ref
from shared.ledger.rules.posting import Plan, accounts_seen, plan_fast, plan_slow, slow_refs
from shared.ledger.use_cases.memory import Memory
from shared.ports import Document, View


def planned(
    memory: Memory, tenant: TenantId, entry: JournalEntry, view: View, *, release: Sequence[Line] = ()
) -> Plan | Document:
    """The entry's plan, or what the journal holds under its id already.

    The fast path plans on remembered accounts and looks at nothing. After a failed or unanswered commit, or
    when the entry has been read, the slow path looks for it before it decides anything.
    """
    ref = entry_ref(tenant, entry.id)
    if not view.has_read(ref):
        cards = memory.cards(tenant, entry.accounts)
        fast = None if view.failures else plan_fast(tenant, entry, cards, view, release=release)
        if fast:
            return fast
        view.need(slow_refs(tenant, entry))
    known = view[ref]
    if known is not None:
        return known
    view.need(slow_refs(tenant, entry))
    plan = plan_slow(tenant, entry, view, release=release)
    memory.note_accounts(tenant, accounts_seen(tenant, entry, view))
    return plan
