"""Batches and dry runs over HTTP."""

from typing import Any

from emulators.cloud import LocalCloud
from tests.emulator.doors.conftest import Tenant, a_key, everything
from tests.emulator.month.exposure import everything_kept

BATCHES = "/v1/ledger/batches"


def an_entry(amount: int = 100, *, credit: int | None = None, of: str = "equity:share_capital", **more: Any) -> Any:
    """Two lines, off balance if `credit` is another amount."""
    debit_line = {"account": "assets:bank", "side": "debit", "amount": {"amount": amount, "currency": "GBP"}}
    other = {"amount": amount if credit is None else credit, "currency": "GBP"}
    return {"lines": [debit_line, {"account": of, "side": "credit", "amount": other}], **more}


def test_an_independent_batch_says_of_each_what_became_of_it(acme: Tenant) -> None:
    """One off balance and one on an unknown account fail alone; sent again, all is answered as before."""
    entries = [an_entry(), an_entry(credit=99), an_entry(of="equity:nowhere"), an_entry(7)]
    key, body = a_key(), {"mode": "independent", "entries": entries}
    first, again = (acme.accountant.post(BATCHES, body, key=key) for _ in range(2))
    assert first.status_code == again.status_code == 200
    answers = first.json()["entries"]
    assert [one["outcome"] for one in answers] == ["posted", "refused", "refused", "posted"]
    codes = [one["refusal"] and one["refusal"]["code"] for one in answers]
    assert codes == [None, "unbalanced_entry", "unknown_account", None]
    assert answers[2]["refusal"]["context"] == {"account": "equity:nowhere"}
    assert (again.headers["Idempotency-Replayed"], first.headers.get("Idempotency-Replayed")) == ("true", None)
    assert [{**one, "replayed": False} for one in again.json()["entries"]] == answers
    read = acme.accountant.get(f"/v1/ledger/entries/{answers[3]['id']}").json()
    assert (read["outcome"], read["lines"][0]["amount"]["amount"]) == ("posted", 7)


def test_a_linked_batch_is_refused_as_one_and_names_the_entry(acme: Tenant) -> None:
    """The problem says which entry and why, and says it again; none of it is in the journal."""
    key, body = a_key(), {"mode": "linked", "entries": [an_entry(), an_entry(of="equity:nowhere")]}
    for _ in range(2):
        problem = acme.accountant.post(BATCHES, body, key=key)
        assert (problem.status_code, problem.json()["code"]) == (422, "unknown_account")
        assert problem.json()["field"] == "entries.1.lines"
        context = problem.json()["context"]
        assert (context["index"], context["account"]) == (1, "equity:nowhere")
        assert acme.accountant.get(f"/v1/ledger/entries/{context['entry']}").status_code == 404
    other = acme.accountant.post(BATCHES, {**body, "entries": [an_entry()]}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_an_entrys_own_key_holds_across_batches(acme: Tenant) -> None:
    """Another batch that brings it again replays it, and posts nothing twice; another body is refused."""
    name = a_key()
    first = acme.accountant.post(BATCHES, {"mode": "independent", "entries": [an_entry(5, key=name)]}).json()
    second = acme.accountant.post(
        BATCHES, {"mode": "independent", "entries": [an_entry(6), an_entry(5, key=name)]}
    ).json()
    assert (second["entries"][1]["id"], second["entries"][1]["replayed"]) == (first["entries"][0]["id"], True)
    changed = acme.accountant.post(BATCHES, {"mode": "independent", "entries": [an_entry(9, key=name)]}).json()
    assert changed["entries"][0]["refusal"]["code"] == "idempotency_key_reused"
    linked = acme.accountant.post(BATCHES, {"mode": "linked", "entries": [an_entry(), an_entry(5, key=name)]})
    assert (linked.status_code, linked.json()["code"], linked.json()["context"]["index"]) == (409, "entry_exists", 1)


def test_memos_of_a_batch_are_shown_by_a_disclosure_only(cloud: LocalCloud, acme: Tenant) -> None:
    """Each entry has its own; neither answers nor anything kept holds one in clear. Another memo is another request."""
    name = a_key()
    for mode in ("linked", "independent"):
        entries = [an_entry(memo=f"For Ada Canary-Lovelace, {mode}", key=f"{name}-{mode}"), an_entry(7)]
        answer = acme.accountant.post(BATCHES, {"mode": mode, "entries": entries})
        first, second = (f"/v1/ledger/entries/{one['id']}" for one in answer.json()["entries"])
        assert [acme.auditor.get(path).json()["has_memo"] for path in (first, second)] == [True, False]
        shown = acme.accountant.post(f"{first}/disclosures", {"fields": ["memo"], "purpose": "audit"})
        assert shown.json()["values"] == {"memo": f"For Ada Canary-Lovelace, {mode}"}
        assert "Canary" not in answer.text + acme.auditor.get(first).text
    changed = [an_entry(memo="another", key=f"{name}-independent")]
    told = acme.accountant.post(BATCHES, {"mode": "independent", "entries": changed}).json()
    assert told["entries"][0]["refusal"]["code"] == "idempotency_key_reused"
    assert not everything_kept(cloud).where("Canary-Lovelace")


def test_a_dry_run_answers_and_writes_nothing(cloud: LocalCloud, acme: Tenant) -> None:
    """Of an entry and of both kinds of batch."""
    before = everything(cloud)
    good, bad = an_entry(memo="not kept"), an_entry(of="equity:nowhere")
    entry = acme.accountant.post("/v1/ledger/entries/dry_run", bad).json()
    assert [one["would"] for one in entry["entries"]] == ["refuse"]
    for mode, would in (("linked", ["refuse", "refuse"]), ("independent", ["post", "refuse"])):
        run = acme.accountant.post(f"{BATCHES}/dry_run", {"mode": mode, "entries": [good, bad]}).json()
        assert [one["would"] for one in run["entries"]] == would
        assert run["entries"][1]["refusal"]["code"] == "unknown_account"
    assert everything(cloud) == before


def test_a_dry_run_finds_what_a_key_names_in_the_journal(acme: Tenant) -> None:
    """As the batch itself would answer: replayed when independent, in the way of a linked one."""
    entries = [an_entry(5, key=a_key()), an_entry(6)]
    acme.accountant.post(BATCHES, {"mode": "independent", "entries": entries[:1]})
    run, linked = (
        acme.accountant.post(f"{BATCHES}/dry_run", {"mode": mode, "entries": entries}).json()["entries"]
        for mode in ("independent", "linked")
    )
    assert [one["would"] for one in run] == ["replay", "post"]
    assert [one["refusal"] and one["refusal"]["code"] for one in linked] == ["entry_exists", None]
