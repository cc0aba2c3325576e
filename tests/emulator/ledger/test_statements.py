"""Statements on the real emulator: every page shows the instant of the first, and costs the same."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from threading import Event

import pytest

from shared.calls import Call
from shared.identity import TenantId
from shared.ledger.model import Account, AccountType, Line, Side
from shared.ledger.records import side_ref
from shared.ledger.refusals import AccountNotFound, ForeignCursor, StaleCursor
from shared.ledger.rules.balances import View
from shared.ledger.rules.control import Control
from shared.ledger.rules.posting import plan_fast
from shared.ledger.rules.statements import Question, Statement, StatementLine
from shared.ledger.use_cases.balances import Balances
from shared.ledger.use_cases.statements import Statements
from shared.money import Money
from shared.ports import Decision, Delete, Increment, Query
from shared.ports import View as Read
from tests.builders import ACME, NOON, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping

RECEIVABLE, BANK = "assets:receivable", "assets:bank"
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
KEYS = (b"newest" * 6, b"older" * 7)


def statements(kept: Bookkeeping) -> Statements:
    """The statements of an instance that remembers nothing."""
    return Statements(kept.desk, lambda: KEYS)


def asked(first: date = FIRST, last: date = LAST, view: View = View.EFFECTIVE) -> Question:
    """Lines of the receivable."""
    return Question(ACME, RECEIVABLE, first, last, view)


def pages(book: Statements, question: Question, limit: int, call: Call | None = None) -> Iterator[Statement]:
    """One page after the other."""
    page = book.page(call or a_call(), question, limit, None)
    yield page
    while page.next_cursor:
        page = book.page(call or a_call(), question, limit, page.next_cursor)
        yield page


def lines(book: Statements, question: Question, limit: int = 7) -> list[StatementLine]:
    """All lines."""
    return [line for page in pages(book, question, limit) for line in page.lines]


def post(kept: Bookkeeping, number: int, *, day: int = 16, posted: int = 16, month: int = 11) -> None:
    """A sale of `number` cents on a day of a month, posted on a day of November."""
    call = a_call(f"s{number}", at=NOON.replace(day=posted))
    kept.books.post(call, a_sale(number, name=f"s{number}", on=date(2026, month, day)))


@pytest.mark.parametrize("view", [View.EFFECTIVE, View.POSTED])
def test_lines_come_in_order_and_the_balance_runs_from_the_days_before(kept: Bookkeeping, view: View) -> None:
    """Opening, every line, closing; and the closing is what stands on the account that day."""
    post(kept, 1000, month=10, day=5)
    for number in range(1, 30):
        post(kept, number, day=1 + number * 5 % 28, posted=1 + number * 11 % 28)
    question = asked(date(2026, 11, 9), date(2026, 11, 20), view)
    found = list(pages(statements(kept), question, 4))
    listed = [line for page in found for line in page.lines]
    days = [line.effective_on if view is View.EFFECTIVE else line.posted_on for line in listed]
    assert days == sorted(days)
    assert len(listed) > 8
    opening = Balances(kept.desk).on(ACME, RECEIVABLE, date(2026, 11, 8), view).rows
    running = sum(row.amount for row in opening)
    assert found[0].opening.get("EUR", 0) == running
    for line in listed:
        running += line.money.amount if line.side is Side.DEBIT else -line.money.amount
        assert line.balance == running
    closing = Balances(kept.desk).on(ACME, RECEIVABLE, date(2026, 11, 20), view).rows
    assert found[-1].closing["EUR"] == running == sum(row.amount for row in closing)
    assert [page.opening for page in found[1:]] == [page.closing for page in found[:-1]]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_entries_of_one_instant_and_one_day_are_each_listed_once(kept: Bookkeeping, limit: int) -> None:
    """One commit, so one time of recording: their ids are the order; each currency's balance runs by itself."""
    currencies = ("EUR", "JPY", "EUR", "GBP")
    entries = []
    for number in range(7):
        lines = [
            Line(account, side, Money(number + place + 1, currency))
            for place, currency in enumerate(currencies)
            for account, side in ((RECEIVABLE, Side.DEBIT), (BANK if place else RECEIVABLE, Side.CREDIT))
        ]
        entries.append(replace(a_sale(name=f"e{number}", on=date(2026, 11, 16)), lines=tuple(lines)))
    cards = {code: Account(code, AccountType.ASSET, code, shards=1) for code in (RECEIVABLE, BANK)}
    plans = [plan_fast(ACME, entry, cards, Read({})) for entry in entries]
    writes = [write for plan in plans if plan for write in plan.writes]
    created = tuple(replace(one, must_exist=False) if isinstance(one, Increment) else one for one in writes)
    kept.store.transact((), lambda _: Decision(None, created))
    listed = list(pages(statements(kept), asked(), limit))
    found = [line for page in listed for line in page.lines]
    assert len({line.recorded_at for line in found}) == 1
    assert [line.entry for line in found[::5]] == sorted(entry.id for entry in entries)
    assert [(line.entry, line.place) for line in found] == sorted((line.entry, line.place) for line in found)
    running: dict[str, int] = {}
    for line in found:
        net = line.money.amount if line.side is Side.DEBIT else -line.money.amount
        running[line.money.currency] = running.get(line.money.currency, 0) + net
        assert line.balance == running[line.money.currency]
    assert listed[-1].closing == running == {"EUR": 42, "GBP": 49, "JPY": 35}


def test_all_pages_show_the_instant_of_the_first_while_posting_goes_on(kept: Bookkeeping, other: Bookkeeping) -> None:
    """Entries dated before, between and after what was shown move nothing on the pages that follow."""
    for number in range(1, 41):
        post(kept, number, day=1 + number % 28)
    before = lines(statements(kept), asked())
    stop = Event()

    def post_on() -> int:
        number = 100
        while not stop.is_set() and number < 400:
            post(other, number, day=1 + number % 28)
            number += 1
        return number

    def read_on(book: Statements) -> Iterator[Statement]:
        for page in pages(book, asked(), 5):
            post(kept, next(between), day=1 + len(page.lines) % 28)
            yield page

    between = itertools.count(1000)
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(post_on)
        book = statements(kept)
        rounds = [list(read_on(book)) for _ in range(4)]
        stop.set()
        posting.result()
    assert len(before) == 40
    for found in rounds:
        assert len({page.read_at for page in found}) == 1
        running = 0
        for line in (line for page in found for line in page.lines):
            running += line.money.amount
            assert line.balance == running
        whole = kept.store.query(Query("entries", ACME), at=found[0].read_at).documents
        assert {line.entry for page in found for line in page.lines} == {document.ref.key for document in whole}
    lengths = [sum(len(page.lines) for page in found) for found in rounds]
    posted = [0, *itertools.accumulate(len(found) for found in rounds)]
    assert all(length >= 40 + own for length, own in zip(lengths, posted[:-1], strict=True))
    assert lengths == sorted(lengths), "later snapshots hold more, never less"


@pytest.mark.parametrize(("view", "first_page", "warm_page"), [(View.EFFECTIVE, 3, 2), (View.POSTED, 3, 3)], ids=str)
def test_a_page_of_a_hundred_lines_costs_as_many_calls_as_one_of_a_few(
    kept: Bookkeeping, view: View, first_page: int, warm_page: int
) -> None:
    """The first page costs the account, the balance before and the entries; each further one a single call."""
    for number in range(1, 221):
        post(kept, number, day=1 + number % 28, posted=1 + number % 27)
    kept.controls.run(a_call("freeze"), Control.FREEZE, RECEIVABLE)
    book = statements(kept)
    question = asked(view=view)
    spent = []
    page, cursor = None, None
    for _ in range(3):
        kept.line.paths.clear()
        page = book.page(a_call(), question, 100, cursor)
        cursor = page.next_cursor
        spent.append((len(page.lines), len(kept.line.paths)))
    assert spent == [(100, first_page), (100, 1), (20, 1)]
    kept.line.paths.clear()
    book.page(a_call(), question, 100, None)
    assert len(kept.line.paths) == warm_page


def test_a_first_page_by_posting_day_of_an_account_without_postings_is_three_calls_too(kept: Bookkeeping) -> None:
    """Its shifts say its side from the day it was opened, whatever else there is of it; also from the first of days."""
    post(kept, 5, day=3, posted=9)
    for question in (asked(view=View.POSTED), asked(date.min, view=View.POSTED), asked(date(2026, 12, 1), date.max)):
        for account in (RECEIVABLE, "liabilities:vat:gb"):
            kept.line.paths.clear()
            page = statements(kept).page(a_call(), replace(question, account=account), 5, None)
            assert len(kept.line.paths) == 3
            assert len(page.lines) == (account == RECEIVABLE and question.first <= date(2026, 11, 9))


def test_an_account_of_which_no_side_was_kept_is_read(kept: Bookkeeping) -> None:
    """It was opened before sides were kept: one call more, and the same statement; no account is still none."""
    for number in range(1, 9):
        post(kept, number, day=number, posted=2 * number)
    question = asked(date(2026, 11, 5), view=View.POSTED)
    before = statements(kept).page(a_call(), question, 100, None)
    kept.store.transact((), lambda _: Decision(None, (Delete(side_ref(ACME, RECEIVABLE)),)))
    kept.line.paths.clear()
    after = statements(kept).page(a_call(), question, 100, None)
    assert (after.opening, after.lines, after.closing) == (before.opening, before.lines, before.closing)
    assert len(kept.line.paths) == 4
    with pytest.raises(AccountNotFound):
        statements(kept).page(a_call(), replace(question, account="assets:none"), 5, None)


def test_a_cursor_that_is_not_ours_or_too_old_is_refused(kept: Bookkeeping) -> None:
    """Forged, of another tenant, account or days, or begun an hour ago."""
    for number in range(1, 5):
        post(kept, number)
    book = statements(kept)
    cursor = book.page(a_call(), asked(), 2, None).next_cursor
    assert cursor
    rival = Question(TenantId("rival"), RECEIVABLE, FIRST, LAST)
    for question, given in (
        (rival, cursor),
        (Question(ACME, "revenue:sales", FIRST, LAST), cursor),
        (asked(FIRST, LAST - timedelta(days=1)), cursor),
        (asked(), cursor[:-1] + ("0" if cursor[-1] != "0" else "1")),
        (asked(), "AAAA"),
    ):
        kept.line.paths.clear()
        with pytest.raises(ForeignCursor):
            book.page(a_call(), question, 2, given)
        assert kept.line.paths == [], "it is refused before anything is read"
    with pytest.raises(StaleCursor):
        book.page(a_call(at=NOON + timedelta(hours=1)), asked(), 2, cursor)
    assert len(book.page(a_call(), asked(), 2, cursor).lines) == 2


def test_an_account_that_is_not_there_has_no_statement(kept: Bookkeeping) -> None:
    """It is not an empty one."""
    with pytest.raises(AccountNotFound):
        statements(kept).page(a_call(), Question(ACME, "assets:none", FIRST, LAST), 5, None)


def test_a_refused_entry_is_on_no_statement(kept: Bookkeeping) -> None:
    """It is in the journal, and moved nothing."""
    post(kept, 1)
    kept.controls.run(a_call("freeze"), Control.FREEZE, "revenue:sales")
    with pytest.raises(Exception, match="frozen"):
        post(kept, 2)
    assert [line.money.amount for line in lines(statements(kept), asked())] == [1]
