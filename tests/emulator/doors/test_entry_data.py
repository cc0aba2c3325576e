"""Entries with all that they can carry, and their reversal, through the doors; and that a memo is nowhere in clear."""

from typing import Any

from emulators.cloud import LocalCloud
from tests.emulator.doors.conftest import Tenant
from tests.emulator.doors.test_bad_entries import ENTRIES, a_line
from tests.emulator.month.exposure import everything_kept

CANARY = "Gift for Ada Canary-Lovelace"
CLEAR = "CLEAR-CANARY-7"


def test_a_memo_is_read_by_a_disclosure_only_and_lies_nowhere_in_clear(cloud: LocalCloud, acme: Tenant) -> None:
    """Not in an answer, document, task, push or log: posted, listed, reversed, disclosed. A reference is found."""
    entry = posted(acme, memo=CANARY, reference=CLEAR)
    assert (entry["has_memo"], "memo" in entry) == (True, False)
    path = f"{ENTRIES}/{entry['id']}"
    shown = acme.accountant.post(f"{path}/disclosures", {"fields": ["memo"], "purpose": "audit"})
    assert shown.json() == {"id": entry["id"], "purpose": "audit", "values": {"memo": CANARY}}
    assert acme.accountant.post(f"{path}/reverse", {}).json()["has_memo"] is False
    for answer in (acme.accountant.get(path), acme.accountant.get(ENTRIES), acme.accountant.get(f"{path}/reversals")):
        assert answer.status_code == 200
        assert "Canary-Lovelace" not in answer.text
    exposure = everything_kept(cloud)
    assert "firestore (default)" in exposure.where(CLEAR)
    assert {text: where for text in (CANARY, "Canary-Lovelace") if (where := exposure.where(text))} == {}


def test_who_may_read_the_ledger_may_not_read_its_memos(acme: Tenant, rival: Tenant) -> None:
    """An auditor sees that there is one; another tenant sees nothing."""
    entry = posted(acme, memo=CANARY)
    order = {"fields": ["memo"], "purpose": "audit"}
    assert acme.auditor.get(f"{ENTRIES}/{entry['id']}").json()["has_memo"] is True
    assert acme.auditor.post(f"{ENTRIES}/{entry['id']}/disclosures", order).status_code == 403
    assert rival.accountant.post(f"{ENTRIES}/{entry['id']}/disclosures", order).status_code == 404
    without = posted(acme)
    refused = acme.accountant.post(f"{ENTRIES}/{without['id']}/disclosures", order)
    assert (refused.status_code, refused.json()["code"]) == (422, "no_memo")


def test_an_exchange_is_answered_as_it_was_posted(acme: Tenant) -> None:
    """Metadata and rates as they came, the rate with its digits."""
    rates = [{"from": "GBP", "to": "USD", "rate": "1.2500", "source": "ECB"}]
    lines = [
        a_line("assets:bank", "credit", 100),
        a_line("equity:conversion", "debit", 100),
        a_line("equity:conversion", "credit", 125, "USD"),
        a_line("assets:bank", "debit", 125, "USD"),
    ]
    entry = posted(acme, lines=lines, rates=rates, metadata={"deal": "FX-1"})
    assert (entry["rates"], entry["metadata"]) == (rates, {"deal": "FX-1"})
    assert acme.auditor.get(f"{ENTRIES}/{entry['id']}").json() == entry


def test_parts_are_reversed_until_nothing_is_left(acme: Tenant, rival: Tenant) -> None:
    """The list says what is left by line; another tenant can neither reverse nor look."""
    entry = posted(acme)
    path = f"{ENTRIES}/{entry['id']}"
    parts = [{"line": place, "amount": {"amount": 60, "currency": "GBP"}} for place in (0, 1)]
    assert rival.owner.post(f"{path}/reverse", {"parts": parts}).status_code == 404
    assert rival.owner.get(f"{path}/reversals").status_code == 404
    assert acme.auditor.post(f"{path}/reverse", {"parts": parts}).status_code == 403
    first = acme.accountant.post(f"{path}/reverse", {"parts": parts}, key="part-1")
    assert (first.status_code, first.json()["reverses"]) == (201, {"entry": entry["id"], "lines": [0, 1]})
    again = acme.accountant.post(f"{path}/reverse", {"parts": parts}, key="part-1")
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    more = acme.accountant.post(f"{path}/reverse", {"parts": parts})
    assert (more.status_code, more.json()["code"]) == (409, "more_than_left_to_reverse")
    listed = acme.auditor.get(f"{path}/reversals").json()
    assert [part["amount"]["amount"] for part in listed["left"]] == [40, 40]
    assert sorted(item["outcome"] for item in listed["items"]) == ["posted", "refused"]


def posted(tenant: Tenant, **changes: object) -> dict[str, Any]:
    """An entry of 100 pence, posted."""
    lines = [a_line("assets:bank", "debit", 100), a_line("equity:share_capital", "credit", 100)]
    answer = tenant.accountant.post(ENTRIES, {"lines": lines, **changes})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body
