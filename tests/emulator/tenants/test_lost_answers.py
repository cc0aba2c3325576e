from dataclasses import replace

from shared.desk import Desk
from shared.gcp.firestore import FirestoreStore
from shared.identity import Cause, SystemIds
from shared.outbox import Outbox
from shared.settings import Settings
from shared.tenants.model import Role
from shared.tenants.use_cases.keys import ApiKeys, KeyOrder
from shared.tenants.use_cases.tenants import NewTenant, Opening, Tenants
from tests.builders import ACME, a_call
from tests.emulator.lines import Line, lost
from tests.emulator.offices import Nowhere, SteppedClock

BY_THE_PLATFORM = replace(a_call(once=True), cause=Cause("api", "POST /v1/tenants", "platform:key-1"))
NEW = NewTenant(ACME, "Acme Ltd", "GB", "GBP", {}, "user:ann")


def test_a_key_is_shown_though_the_commits_answer_was_lost(settings: Settings) -> None:
    """Whoever wrote the key shows it, else nobody ever could; whoever only finds it does not."""
    line, clock = Line(settings), SteppedClock()
    store = FirestoreStore(settings, settings.database, rpc=line)
    desk = Desk(store, Outbox(store, Nowhere(), Nowhere(), clock))
    tenants = Tenants(desk, Opening(lambda _: None, lambda _: ()), clock, SystemIds())
    line.commits.append(lost)
    opened = tenants.create(BY_THE_PLATFORM, NEW).answer
    assert opened.owner_key
    assert tenants.create(BY_THE_PLATFORM, NEW).answer.owner_key is None

    keys, order = ApiKeys(desk, SystemIds()), KeyOrder("user:bob", Role.AUDITOR)
    line.commits.append(lost)
    assert keys.create(a_call(once=True), order).answer.token
    assert keys.create(a_call(once=True), order).answer.token is None
