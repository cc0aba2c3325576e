"""Bad reversals, metadata, memos and rates at the doors: a problem that names its fault, and no trace of a write."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from emulators.cloud import LocalCloud
from tests.emulator.doors.bodies import NOBODY, Case
from tests.emulator.doors.conftest import Tenant, a_key, everything
from tests.emulator.doors.test_bad_input import assert_nothing_written, assert_problem

ENTRIES = "/v1/ledger/entries"
REVERSE = f"{ENTRIES}/{NOBODY}/reverse"
DISCLOSE = f"{ENTRIES}/{NOBODY}/disclosures"
OF_NOBODY = f"{ENTRIES}/{NOBODY}/reversals"


def a_line(account: str, side: str, amount: int, currency: str = "GBP") -> dict[str, Any]:
    """One line."""
    return {"account": account, "side": side, "amount": {"amount": amount, "currency": currency}}


def an_entry(**changes: object) -> bytes:
    """A good entry, changed."""
    lines = [a_line("assets:bank", "debit", 100), a_line("equity:share_capital", "credit", 100)]
    return json.dumps({"lines": lines, **changes}).encode()


def an_exchange(*rates: object, through: str = "equity:conversion", dollars: int = 125) -> bytes:
    """100 pence for 125 cents."""
    lines = [
        a_line("assets:bank", "credit", 100),
        a_line(through, "debit", 100),
        a_line(through, "credit", dollars, "USD"),
        a_line("assets:bank", "debit", dollars, "USD"),
    ]
    return json.dumps({"lines": lines, "rates": rates}).encode()


def a_rate(rate: object = "1.25", **changes: object) -> dict[str, object]:
    """Dollars for a pound."""
    return {"from": "GBP", "to": "USD", "rate": rate, **changes}


def a_reversal(**changes: object) -> bytes:
    """An order."""
    return json.dumps(changes).encode()


def a_part(line: object = 0, **amount: object) -> dict[str, object]:
    """A part of a line."""
    return {"line": line, "amount": {"amount": 100, "currency": "GBP", **amount}}


def entries() -> Iterator[Case]:
    """Each breaks one thing of what an entry carries."""
    wrong = "invalid_fields"
    yield Case("metadata about somebody", ENTRIES, an_entry(metadata={"who": "Zoë"}), 422, wrong, "metadata")
    yield Case("metadata of a number", ENTRIES, an_entry(metadata={"k": 1}), 422, wrong, "metadata")
    yield Case("metadata under no key", ENTRIES, an_entry(metadata={"": "x"}), 422, wrong, "metadata")
    many = {f"k{number}": "x" for number in range(21)}
    yield Case("too many metadata", ENTRIES, an_entry(metadata=many), 422, wrong, "metadata")
    yield Case("metadata as a list", ENTRIES, an_entry(metadata=["x"]), 422, wrong, "metadata")
    yield Case("an endless memo", ENTRIES, an_entry(memo="x" * 1_001), 422, wrong, "memo")
    yield Case("an empty memo", ENTRIES, an_entry(memo=""), 422, wrong, "memo")
    yield Case("an unprintable memo", ENTRIES, an_entry(memo="a\u0007b"), 422, wrong, "memo")
    yield Case("half a character", ENTRIES, an_entry()[:-1] + b', "memo": "\\ud800"}', 400, "malformed")
    yield Case("a rate as a number", ENTRIES, an_exchange(a_rate(1.25)), 422, wrong, "rates")
    yield Case("no rate", ENTRIES, an_exchange(a_rate("0")), 422, "invalid", "rates")
    yield Case("a negative rate", ENTRIES, an_exchange(a_rate("-1.25")), 422, "invalid", "rates")
    yield Case("a rate to itself", ENTRIES, an_exchange(a_rate(to="GBP")), 422, "invalid", "rates")
    yield Case("no such currency", ENTRIES, an_exchange(a_rate(to="XYZ")), 422, wrong, "rates")
    yield Case("a source with words", ENTRIES, an_exchange(a_rate(source="é")), 422, wrong, "rates")
    yield Case("too many rates", ENTRIES, an_exchange(*[a_rate()] * 21), 422, wrong, "rates")
    yield Case("a rate named twice", ENTRIES, an_exchange(a_rate(), a_rate()), 422, "rate_currency", "rates")
    yield Case("another currency", ENTRIES, an_exchange(a_rate(to="EUR")), 422, "rate_currency", "rates")
    through_bank = an_exchange(a_rate(), through="equity:share_capital")
    yield Case("no conversion account", ENTRIES, through_bank, 422, "not_converted", "rates")
    yield Case("a cent too much", ENTRIES, an_exchange(a_rate(), dollars=126), 422, "rate_mismatch", "rates")


def reversals() -> Iterator[Case]:
    """Each breaks one thing of a reversal or a disclosure."""
    wrong = "invalid_fields"
    yield Case("of nothing", REVERSE, b"{}", 404, "unknown_entry", "id")
    yield Case("a part of nothing", REVERSE, a_reversal(parts=[a_part(), a_part(1)]), 404, "unknown_entry", "id")
    yield Case("no part", REVERSE, a_reversal(parts=[]), 422, wrong, "parts")
    yield Case("line before the first", REVERSE, a_reversal(parts=[a_part(-1)]), 422, wrong, "parts")
    yield Case("line beyond the last", REVERSE, a_reversal(parts=[a_part(200)]), 422, wrong, "parts")
    yield Case("a line and a half", REVERSE, a_reversal(parts=[a_part(0.5)]), 422, wrong, "parts")
    yield Case("a float amount", REVERSE, a_reversal(parts=[a_part(amount=1.0)]), 422, wrong, "parts")
    yield Case("no amount", REVERSE, a_reversal(parts=[a_part(amount=0)]), 422, "invalid", "parts")
    yield Case("a negative part", REVERSE, a_reversal(parts=[a_part(amount=-1)]), 422, "invalid", "parts")
    yield Case("a line twice", REVERSE, a_reversal(parts=[a_part(), a_part()]), 422, "invalid", "parts")
    yield Case("no such kind", REVERSE, a_reversal(kind="closing_entry"), 422, wrong, "kind")
    yield Case("a closing entry", REVERSE, a_reversal(kind="closing"), 422, "invalid", "kind")
    yield Case("no day", REVERSE, a_reversal(effective_on="2026-02-30"), 422, wrong, "effective_on")
    yield Case("a sentence", REVERSE, a_reversal(reference="für Zoë"), 422, wrong, "reference")
    yield Case("no such id", f"{ENTRIES}/nothing/reverse", b"{}", 404, "not_found")
    yield Case("of nothing", DISCLOSE, b'{"fields": ["memo"], "purpose": "audit"}', 404, "unknown_entry", "id")
    yield Case("another field", DISCLOSE, b'{"fields": ["cause"], "purpose": "audit"}', 422, wrong, "fields")
    yield Case("twice", DISCLOSE, b'{"fields": ["memo", "memo"], "purpose": "audit"}', 422, wrong, "fields")
    yield Case("out of curiosity", DISCLOSE, b'{"fields": ["memo"], "purpose": "curiosity"}', 422, wrong, "purpose")


@pytest.fixture(scope="module")
def before(cloud: LocalCloud, acme: Tenant, rival: Tenant) -> dict[str, Any]:
    """Everything that is stored before any bad request."""
    del acme, rival
    return everything(cloud)


@pytest.mark.parametrize(
    "case", [*entries(), *reversals()], ids=lambda case: f"{case.path.rsplit('/', 1)[-1]}: {case.name}"
)
def test_a_bad_post_is_a_problem_and_writes_nothing(
    cloud: LocalCloud, acme: Tenant, before: dict[str, Any], case: Case
) -> None:
    """Each names its fault and leaves both databases as they were: no keyset is made for a memo that is not kept."""
    answer = acme.owner.send("POST", case.path, case.body, {"Idempotency-Key": a_key()})
    assert_problem(answer, case)
    assert_nothing_written(cloud, before, answer)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        (OF_NOBODY, 404, "unknown_entry"),
        (f"{OF_NOBODY}?limit=0", 422, "invalid_fields"),
        (f"{OF_NOBODY}?limit=201", 422, "invalid_fields"),
        (f"{OF_NOBODY}?surprise=1", 422, "invalid_fields"),
        (f"{ENTRIES}/nothing/reversals", 404, "not_found"),
    ],
)
def test_a_bad_question_is_a_problem(acme: Tenant, query: str, status: int, code: str) -> None:
    """A list of the reversals of nothing, or of too many at once."""
    assert_problem(acme.accountant.get(query), Case("", query, b"", status, code))
