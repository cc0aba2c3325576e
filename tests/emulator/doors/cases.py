"""Everything that breaks one thing of a good request."""

import json
from collections.abc import Iterator

from shared.limits import BODY_BYTES
from tests.emulator.doors.bodies import BALANCED, GOOD, NOBODY, WITHOUT_BODY, WITHOUT_KEY, Case, changed


def every_post() -> Iterator[Case]:
    """What every POST refuses, whatever it is about."""
    for path, good in GOOD.items():
        text = json.dumps(good).encode()
        needs_key = path not in WITHOUT_KEY
        yield Case("not JSON", path, b"{", 400, "malformed")
        yield Case("an array", path, b"[]", 422, "invalid_fields")
        yield Case("nothing", path, b"", 400)
        yield Case("duplicate key", path, text[:-1] + b',"x":1,"x":2}', 400, "malformed")
        yield Case("NaN", path, text[:-1] + b',"x":NaN}', 400, "malformed")
        yield Case("not UTF-8", path, b'{"x": "\xff"}', 400, "malformed")
        yield Case("deeply nested", path, b"[" * 5_000 + b"]" * 5_000, 400, "malformed")
        yield Case("unknown field", path, changed(path, surprise=1), 422, "invalid_fields", "surprise")
        yield Case("wrong media type", path, text, 415, headers={"Content-Type": "text/plain"})
        yield Case("too large", path, b" " * (BODY_BYTES + 1) + text, 413, "too_large")
        yield Case("no key", path, text, 401, "unauthenticated", headers={"Authorization": ""})
        forged = f"Bearer db_acme_{NOBODY}_{'b' * 32}"
        yield Case("forged key", path, text, 401, "unauthenticated", headers={"Authorization": forged})
        if needs_key:
            yield Case("no Idempotency-Key", path, text, 400, headers={"Idempotency-Key": ""})
            yield Case("endless Idempotency-Key", path, text, 400, headers={"Idempotency-Key": "k" * 256})
        for name in good:
            yield Case(f"{name} of a wrong type", path, changed(path, **{name: 1.5}), 422, "invalid_fields", name)
            yield Case(f"{name} null", path, changed(path, **{name: [None]}), 422, "invalid_fields")
    for path in WITHOUT_BODY:
        yield Case("unknown field", path, b'{"surprise": 1}', 422, "invalid_fields", "surprise")
        yield Case("an id of nothing", path, b"{}", 404)


def particular() -> Iterator[Case]:
    """What only one door refuses."""
    yield from of_entries()
    yield from of_holds()
    yield from of_batches()
    yield from of_control()
    yield from of_repairs()
    yield from of_monitors()
    yield from of_years_and_openings()
    yield from of_allocations()
    yield from of_webhooks()
    yield from of_refunds()
    invoices, employees = "/v1/invoices", "/v1/employees"
    yield Case("no such customer", invoices, changed(invoices), 422, "unknown_customer", "customer_id")
    zero = [{"description": "x", "quantity": "0", "unit_price": 1}]
    yield Case("no quantity", invoices, changed(invoices, lines=zero), 422, "invalid_fields")
    number = [{"description": "x", "quantity": 1.5, "unit_price": 1}]
    yield Case("a quantity as a number", invoices, changed(invoices, lines=number), 422, "invalid_fields")
    yield Case("no tax code", employees, changed(employees, tax_code="banana"), 422, "invalid_fields", "tax_code")
    euros = {"amount": 1, "currency": "EUR"}
    yield Case("a salary in euro", employees, changed(employees, annual_salary=euros), 422, "invalid")
    runs = "/v1/payroll_runs"
    yield Case("pay day elsewhere", runs, changed(runs, pay_date="2026-12-01"), 422, "invalid", "pay_date")
    yield Case("a 13th month", runs, changed(runs, period="2026-13"), 422, "invalid_fields", "period")
    yield Case("nobody to pay", runs, changed(runs), 422, "nobody_to_pay")
    keys = "/v1/api_keys"
    yield Case("the platform's role", keys, changed(keys, role="platform"), 422, "invalid_fields", "role")
    yield Case("another tenant's key", keys, changed(keys, tenant="rival"), 403)
    tax = "/v1/tax/calculations"
    yield Case("no rates", tax, changed(tax, buyer={"country": "US", "kind": "consumer"}), 422)
    yield Case("before the rates", tax, changed(tax, date="1980-01-01"), 422, "not_supported")


def lines(**amount: object) -> list[dict[str, object]]:
    """A debit with something about its amount changed, and a credit of one pound."""
    asked = {"amount": 100, "currency": "GBP", **amount}
    debit: dict[str, object] = {"account": "assets:bank", "side": "debit", "amount": asked}
    credit_side = {"account": "equity:share_capital", "side": "credit"}
    return [debit, {**credit_side, "amount": {"amount": 100, "currency": "GBP"}}]


def of_entries() -> Iterator[Case]:
    """What no journal entry may be."""
    entries = "/v1/ledger/entries"
    yield Case("a float amount", entries, changed(entries, lines=lines(amount=100.0)), 422, "invalid_fields")
    yield Case("an amount as text", entries, changed(entries, lines=lines(amount="100")), 422, "invalid_fields")
    yield Case("an endless amount", entries, changed(entries, lines=lines(amount=10**30)), 422, "invalid_fields")
    yield Case("no such currency", entries, changed(entries, lines=lines(currency="XYZ")), 422, "invalid_fields")
    yield Case("off balance", entries, changed(entries, lines=lines(amount=101)), 422, "unbalanced_entry", "lines")
    yield Case("a negative line", entries, changed(entries, lines=lines(amount=-100)), 422)
    yield Case("one line", entries, changed(entries, lines=lines()[:1]), 422, "invalid_fields")
    yield Case("too many lines", entries, changed(entries, lines=lines() * 200), 422, "invalid_fields")


def of_holds() -> Iterator[Case]:
    """What cannot be reserved, and what cannot be posted of it."""
    holds = "/v1/ledger/holds"
    yield Case("off balance", holds, changed(holds, lines=lines(amount=101)), 422, "unbalanced_entry", "lines")
    yield Case("a float amount", holds, changed(holds, lines=lines(amount=100.0)), 422, "invalid_fields")
    for text in ("2026-12-01", "2026-12-01T12:00:00", "0", "9999-12-31T23:59:59-23:00", "2026-13-01T12:00:00Z", "soon"):
        bad = changed(holds, expires_at=text)
        yield Case(f"expires at {text!r}", holds, bad, 422, "invalid_fields", "expires_at")
    posts = f"/v1/ledger/holds/{NOBODY}/post"
    yield Case("a hold of nothing", posts, b"{}", 404, "unknown_hold", "id")
    yield Case("off balance", posts, changed(posts, lines=lines(amount=101)), 422, "unbalanced_entry", "lines")
    yield Case("one line", posts, changed(posts, lines=lines()[:1]), 422, "invalid_fields", "lines")


def of_control() -> Iterator[Case]:
    """What cannot be closed or frozen."""
    close = "/v1/ledger/periods/2026-99/close"
    yield Case("no such month", close, b'{"kind":"soft"}', 422, "invalid_fields", "period")
    yield Case("no such account", "/v1/ledger/accounts/assets:none/freeze", b'{"reason":"x"}', 422, "unknown_account")


def of_batches() -> Iterator[Case]:
    """What batches refuse as a whole, before anything of them is looked at."""
    batches = "/v1/ledger/batches"
    off = [{**BALANCED[0], "amount": {"amount": 101, "currency": "GBP"}}, BALANCED[1]]
    bad = [{"lines": BALANCED}, {"lines": off}]
    yield Case("no entries", batches, changed(batches, entries=[]), 422, "invalid_fields", "entries")
    yield Case("no such mode", batches, changed(batches, mode="some"), 422, "invalid_fields", "mode")
    yield Case("one off balance", batches, changed(batches, entries=bad), 422, "unbalanced_entry", "entries")
    twice = [{"key": "a", "lines": BALANCED}] * 2
    yield Case("a key twice", batches, changed(batches, entries=twice), 422, "repeated_entry", "entries")
    for mode in ("linked", "independent"):
        many = changed(batches, mode=mode, entries=[{"lines": BALANCED}] * 501)
        yield Case(f"too many entries, {mode}", batches, many, 413, "batch_too_large", "entries")
        wide = changed(batches, mode=mode, entries=[{"lines": BALANCED * 100}] * 6)
        yield Case(f"too many lines, {mode}", batches, wide, 413, "batch_too_large", "entries")
    slash = changed(batches, entries=[{"key": "a/b", "lines": BALANCED}])
    yield Case("a key with a slash", batches, slash, 422, "invalid_fields", "entries")
    hashed = changed(batches, entries=[{"key": "a#1", "lines": BALANCED}])
    yield Case("a key like a place's", batches, hashed, 422, "invalid_fields", "entries")
    memo = changed(batches, entries=[{"memo": "x" * 1_001, "lines": BALANCED}])
    yield Case("an endless memo", batches, memo, 422, "invalid_fields", "entries")
    sealed = [{"memo": "to Jo", "lines": BALANCED}, {"memo": "to Jo", "lines": off}]
    yield Case(
        "memos beside one off balance", batches, changed(batches, entries=sealed), 422, "unbalanced_entry", "entries"
    )


def of_repairs() -> Iterator[Case]:
    """What only the door of repairs refuses."""
    repairs = "/v1/ledger/reports/repairs"
    yield Case("a 13th month", repairs, changed(repairs, month="2026-13"), 422, "invalid_fields", "month")
    yield Case("no reason", repairs, changed(repairs, reason=""), 422, "invalid_fields", "reason")
    yield Case("no such account", repairs, changed(repairs, account="assets:none"), 422, "unknown_account", "account")
    yield Case("no floor", repairs, changed(repairs, month=None), 409, "wrong_state", "account")


def of_monitors() -> Iterator[Case]:
    """What cannot be watched."""
    monitors = "/v1/ledger/monitors"
    yield Case("no such account", monitors, changed(monitors, account="assets:none"), 422, "unknown_account", "account")
    yield Case("no such currency", monitors, changed(monitors, currency="XYZ"), 422, "invalid_fields", "currency")
    yield Case("no such measure", monitors, changed(monitors, measure="mood"), 422, "invalid_fields", "measure")
    yield Case("no such direction", monitors, changed(monitors, direction="up"), 422, "invalid_fields", "direction")
    yield Case("an endless amount", monitors, changed(monitors, amount=10**30), 422, "invalid_fields", "amount")
    yield Case("an amount as text", monitors, changed(monitors, amount="100"), 422, "invalid_fields", "amount")
    yield Case("free text", monitors, changed(monitors, reference="é"), 422, "invalid_fields", "reference")


def of_allocations() -> Iterator[Case]:
    """What cannot be allocated, taken back or allowed."""
    path, limits = f"/v1/payments/{NOBODY}/allocations", "/v1/payments/write_off_limits"
    yield Case("no invoice", path, changed(path, lines=[]), 422, "invalid_fields", "lines")
    line = {"invoice_id": NOBODY, "amount": {"amount": 100, "currency": "GBP"}}
    yield Case("too many invoices", path, changed(path, lines=[line] * 51), 422, "invalid_fields", "lines")
    for amount in (0, -1, 1.0, "1", 10**30, True):
        bad = changed(path, lines=[{**line, "amount": {"amount": amount, "currency": "GBP"}}])
        yield Case(f"an amount of {amount!r}", path, bad, 422, "invalid_fields", "lines")
    undo = f"{path}/{NOBODY}/undo"
    yield Case("an allocation of nothing", undo, changed(undo), 404, "unknown_allocation", "allocation")
    yield Case("no reason", undo, changed(undo, reason=""), 422, "invalid_fields", "reason")
    accounts = "/v1/payments/virtual_accounts"
    yield Case("no such customer", accounts, changed(accounts), 422, "unknown_customer", "customer_id")
    for number in ("", "--", "x" * 65, "GB\n33"):
        bad = changed(accounts, number=number)
        yield Case(f"an account {number!r}", accounts, bad, 422, "invalid_fields", "number")
    release = f"{accounts}/{'0' * 64}/release"
    yield Case("an account of nothing", release, changed(release), 404, "unknown_virtual_account", "id")
    below = {"amount": -1, "currency": "GBP"}
    yield Case("a limit below zero", limits, changed(limits, limit=below), 422, "invalid_fields", "limit")


def of_webhooks() -> Iterator[Case]:
    """Where nothing is told, and what cannot be changed or sent again."""
    endpoints = "/v1/webhook_endpoints"
    for url in (
        "http://erp.example.com/",
        "https://169.254.169.254/",
        "https://localhost/",
        "https://a@b.example.com/",
    ):
        yield Case(f"told at {url}", endpoints, changed(endpoints, url=url), 422, "url_not_allowed", "url")
    yield Case("no filter", endpoints, changed(endpoints, filters=["payment*"]), 422, "invalid_fields", "filters")
    for verb in ("update", "resends"):
        path = f"{endpoints}/{NOBODY}/{verb}"
        yield Case("an endpoint of nothing", path, changed(path), 404, "unknown_webhook_endpoint", "id")


def of_refunds() -> Iterator[Case]:
    """What cannot be given back, and limits that are none."""
    refunds, limits, resolve = "/v1/refunds", "/v1/refunds/approval_limits", f"/v1/refunds/{NOBODY}/resolve"
    for amount in (0, -1, 10**30, 1.5):
        bad = changed(refunds, amount={"amount": amount, "currency": "GBP"})
        yield Case(f"an amount of {amount}", refunds, bad, 422, "invalid_fields")
    yield Case("no such kind", refunds, changed(refunds, kind="all"), 422, "invalid_fields", "kind")
    yield Case("no such reason", refunds, changed(refunds, reason="because"), 422, "invalid_fields", "reason")
    pounds = {"amount": 1, "currency": "GBP"}
    yield Case("a currency twice", limits, changed(limits, limits=[pounds] * 2), 422, "invalid", "limits")
    below = changed(limits, limits=[{**pounds, "amount": -1}])
    yield Case("a limit below zero", limits, below, 422, "invalid", "limits")
    yield Case("a refund of nothing", resolve, changed(resolve), 404, "unknown_refund", "id")


def of_years_and_openings() -> Iterator[Case]:
    """What cannot be brought in or closed, and leaves nothing begun."""
    opening, year = "/v1/ledger/opening_balances", "/v1/ledger/years/2025/close"
    row = {"account": "assets:bank", "currency": "GBP"}
    for name, rows in {
        "no rows": [],
        "neither side": [row],
        "both sides": [{**row, "debit": 1, "credit": 1}],
        "nothing": [{**row, "debit": 0}],
        "a float": [{**row, "debit": 1.0}],
        "an endless amount": [{**row, "credit": 10**30}],
        "no such currency": [{**row, "currency": "XYZ", "debit": 1}],
        "too many": [{**row, "account": f"assets:a{number}", "debit": 1} for number in range(2_001)],
    }.items():
        yield Case(name, opening, changed(opening, rows=rows), 422, "invalid_fields", "rows")
    twice = changed(opening, rows=[{**row, "debit": 1}] * 2)
    yield Case("an account twice", opening, twice, 422, "invalid", "rows")
    against = changed(opening, rows=[{**row, "account": "equity:opening_balances", "debit": 1}])
    yield Case("the balancing account", opening, against, 422, "invalid", "rows")
    yield Case("a month that is open", year, changed(year), 409, "months_open", "year")
    yield Case("a 13th month", year, changed(year, last_month=13), 422, "invalid_fields", "last_month")
    path = "/v1/ledger/years/20255/close"
    yield Case("no such year", path, changed(year), 422, "invalid_fields", "year")
    entries = "/v1/ledger/entries"
    closing = changed(entries, kind="closing")
    yield Case("a closing entry", entries, closing, 422, "invalid_fields", "kind")


def label(case: Case) -> str:
    """How a case is called in a test's name."""
    return f"{case.path.replace(NOBODY, '{id}')}: {case.name}"
