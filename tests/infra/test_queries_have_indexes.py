"""The rule by which the simulator refuses queries that no index serves, at queries of the product."""

from datetime import UTC, datetime

import pytest

from shared.gcp.firestore_queries import PbAggregation, put_conditions, put_query
from shared.identity import TenantId
from shared.ports import Query, Where
from tests.simulation.indexes import served

ACME = TenantId("acme")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
OF_ENDPOINT = (Where("endpoint", "==", "e"), Where("created_at", ">=", NOW), Where("created_at", "<", NOW))
ON_ACCOUNT = (Where("accounts", "array_contains", "a"), Where("outcome", "==", "posted"))
DAYS = (Where("effective_on", ">=", "2026-11-01"), Where("effective_on", "<=", "2026-11-30"))


def has_index(query: Query, *, counted: bool = False) -> bool:
    """Whether Firestore answers it, be it a list or a count."""
    target = PbAggregation().structured_query
    if counted:
        put_conditions(target, query)
    else:
        put_query(target, query, root="projects/p/databases/d/documents/", limit=None)
    return served(target)


@pytest.mark.parametrize("counted", [False, True])
def test_what_is_sent_again_is_counted_in_the_order_that_it_is_listed_in(*, counted: bool) -> None:
    """Without its order a count asks for an ascending index, which is not there: each range was an internal error."""
    newest_first = Query("webhook_deliveries", ACME, OF_ENDPOINT, ("-created_at",))
    assert has_index(newest_first, counted=counted)
    assert not has_index(Query("webhook_deliveries", ACME, OF_ENDPOINT), counted=counted)


@pytest.mark.parametrize(
    ("query", "answered"),
    [
        (Query("entries", ACME, (*ON_ACCOUNT, *DAYS), ("effective_on", "recorded_at")), True),
        (Query("entries", ACME, (*ON_ACCOUNT, *DAYS), ("effective_on",)), False),
        (Query("entries", ACME, ON_ACCOUNT), True),
        (Query("entries", ACME, (Where("reference", "==", "x"),)), False),
        (Query("entries", ACME, order=("recorded_at",)), True),
        (Query("entries", ACME, order=("-recorded_at",)), False),
        (Query("entries", ACME, order=("effective_on", "recorded_at")), False),
        (Query("seals", ACME, order=("-number",)), True),
        (Query("outbox", where=(Where("created_at", "<", NOW),), order=("created_at",), group=True), True),
        (Query("invoices", where=(Where("state", "==", "issued"),), group=True), False),
    ],
)
def test_an_index_serves_what_is_compared_and_in_which_order(query: Query, *, answered: bool) -> None:
    """By composites in full, by the fields' own where equality is all, by none where Terraform took it away."""
    assert has_index(query) is answered
