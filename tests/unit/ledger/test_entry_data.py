"""What an entry carries beside its lines: metadata, a sealed memo, exchange rates."""

import unicodedata
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faults import Invalid, NotSupported, Refused
from shared.ledger.entry_data import EntryData, memo_text
from shared.ledger.exchange import ExchangeRate, NotConverted, RateCurrency, RateMismatch, is_conversion
from shared.ledger.model import JournalEntry, Line, credit, debit
from shared.ledger.records import read_entry, write_entry
from shared.limits import ENTRY_METADATA, ENTRY_RATES
from shared.money import MINOR_DIGITS, Money
from shared.ports import Document, Value
from tests.builders import ACME, NOON, TODAY, a_sale, entry_id

CONVERSION = "equity:conversion"


def exchange(sold: Money, bought: Money, *, through: str = CONVERSION) -> tuple[Line, ...]:
    """Money that leaves in one currency and comes in another."""
    return (
        credit("assets:bank", sold),
        debit(through, sold),
        credit(through, bought),
        debit("assets:bank", bought),
    )


def an_exchange(lines: tuple[Line, ...], *rates: ExchangeRate) -> JournalEntry:
    """An entry with rates."""
    return JournalEntry(entry_id("fx"), lines, TODAY, "fx", "h", data=EntryData(rates=rates))


def a_rate(rate: str = "1.1", base: str = "EUR", quote: str = "USD") -> ExchangeRate:
    """Dollars for a euro."""
    return ExchangeRate(base, quote, Decimal(rate), "ECB")


def with_data(**data: object) -> JournalEntry:
    """A sale that carries something."""
    return replace(a_sale(), data=EntryData(**data))  # type: ignore[arg-type]


def stored(entry: JournalEntry) -> Document:
    """The entry as a document."""
    write = write_entry(ACME, entry, None)
    fields: dict[str, Value] = {**write.fields, "recorded_at": NOON}
    return Document(write.ref, fields, "1", NOON)


# --- content -----------------------------------------------------------------------------


def test_an_entry_without_data_hashes_as_it_always_did() -> None:
    """A hash made before there was such data: it stays what it was, and no field is written."""
    assert a_sale().content_hash == "21e1595dbe31ceb01f64426e873418752fa24fe83972bd5e24d41d3106057aaf"
    assert not write_entry(ACME, a_sale(), None).fields.keys() & {"metadata", "memo", "rates"}


def test_the_content_hash_covers_each_of_them() -> None:
    """Another code, key, ciphertext, rate or source is another content."""
    lines = exchange(Money(10_000, "EUR"), Money(11_000, "USD"))
    entries = [
        a_sale(),
        with_data(metadata={"a": "1"}),
        with_data(metadata={"a": "2"}),
        with_data(metadata={"b": "1"}),
        with_data(memo=b"sealed"),
        with_data(memo=b"sealed otherwise"),
        an_exchange(lines),
        an_exchange(lines, a_rate("1.1")),
        an_exchange(lines, a_rate("1.10")),
        an_exchange(lines, ExchangeRate("EUR", "USD", Decimal("1.1"), "bank")),
    ]
    assert len({entry.content_hash for entry in entries}) == len(entries)


def test_the_order_of_metadata_is_no_content() -> None:
    """A map has none."""
    first, second = with_data(metadata={"a": "1", "b": "2"}), with_data(metadata={"b": "2", "a": "1"})
    assert first.content_hash == second.content_hash


def test_what_is_read_back_hashes_the_same() -> None:
    """Whoever holds the document alone can verify it: no key is needed."""
    data = EntryData({"cost_centre": "CC-1"}, b"\x00\xffsealed", (a_rate("1.10"),))
    entry = replace(an_exchange(exchange(Money(10_000, "EUR"), Money(11_000, "USD")), a_rate()), data=data)
    read = read_entry(stored(entry)).entry
    assert (read.data, read.content_hash) == (data, stored(entry)["content_hash"])


@given(st.text(max_size=40))
def test_unicode_that_changes_a_hash(text: str) -> None:
    """A cause in NFC and in NFD is one content, and a memo in both is one text before it is sealed."""
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    hashes = {JournalEntry(entry_id("x"), a_sale().lines, TODAY, form, "h").content_hash for form in forms}
    assert len(hashes) == 1
    assert len({memo_text(form) for form in forms}) == 1


def test_a_memo_says_nothing_when_it_is_printed() -> None:
    """Not even its ciphertext, which would be noise in a log."""
    assert "canary" not in repr(with_data(memo=b"canary"))


# --- metadata ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "metadata",
    [
        {"": "x"},
        {"Key": "x"},
        {"k" * 41: "x"},
        {"k.k": "x"},
        {"k": "x" * 65},
        {"k": "é"},
        {"k": "line\nbreak"},
        {f"k{number}": "x" for number in range(ENTRY_METADATA + 1)},
    ],
)
def test_metadata_are_few_short_codes(metadata: dict[str, str]) -> None:
    """What could be a sentence about somebody is refused."""
    with pytest.raises(Invalid):
        EntryData(metadata)


def test_metadata_may_be_as_many_and_as_long_as_said() -> None:
    """Twenty of 64 characters."""
    assert len(EntryData({f"k{number}": "x" * 64 for number in range(ENTRY_METADATA)}).metadata) == ENTRY_METADATA


# --- rates -------------------------------------------------------------------------------


@given(
    amount=st.integers(1, 10**15),
    rate=st.decimals(Decimal("0.0000000001"), Decimal(1000), places=10),
    base=st.sampled_from(["EUR", "JPY", "BHD"]),
    quote=st.sampled_from(["USD", "KRW", "KWD"]),
)
def test_the_amount_is_the_rate_times_the_other_rounded_half_to_even(
    amount: int, rate: Decimal, base: str, quote: str
) -> None:
    """Exactly that many minor units pass; one more or one less is refused with both figures."""
    kept = ExchangeRate(base, quote, rate)
    exact = Fraction(amount) * Fraction(rate) * Fraction(10) ** (MINOR_DIGITS[quote] - MINOR_DIGITS[base])
    expected = kept.converted(amount)
    assert abs(exact - expected) < Fraction(1, 2) or (abs(exact - expected) == Fraction(1, 2) and expected % 2 == 0)
    for other in (expected - 1, expected, expected + 1):
        if not 0 < other <= 10**15:
            continue
        lines = exchange(Money(amount, base), Money(other, quote))
        if other == expected:
            assert an_exchange(lines, kept).data.rates == (kept,)
        else:
            with pytest.raises(RateMismatch) as refused:
                an_exchange(lines, kept)
            assert refused.value.detail == {"expected": expected, "converted": other}


@pytest.mark.parametrize(
    ("rate", "amount", "dollars"),
    [("0.5", 1, 0), ("0.5", 3, 2), ("0.5", 5, 2), ("1.0842", 10_000, 10_842), ("0.0000000001", 10**15, 100_000)],
)
def test_halves_go_to_the_even_neighbour_and_nothing_passes_through_a_float(
    rate: str, amount: int, dollars: int
) -> None:
    """Cents of a dollar for cents of a euro."""
    assert a_rate(rate).converted(amount) == dollars


@pytest.mark.parametrize(
    ("lines", "rates", "refusal"),
    [
        (exchange(Money(100, "EUR"), Money(110, "USD")), (a_rate("1.1", "EUR", "GBP"),), RateCurrency),
        (exchange(Money(100, "EUR"), Money(110, "USD")), (a_rate(), a_rate("0.9", "USD", "EUR")), RateCurrency),
        (exchange(Money(100, "EUR"), Money(110, "USD"), through="equity:conversions"), (a_rate(),), NotConverted),
        (exchange(Money(100, "EUR"), Money(110, "USD"), through="equity:other"), (a_rate(),), NotConverted),
        (exchange(Money(100, "EUR"), Money(111, "USD")), (a_rate(),), RateMismatch),
        (
            (
                debit("assets:bank", Money(100, "EUR")),
                credit(CONVERSION, Money(100, "EUR")),
                debit("assets:bank", Money(110, "USD")),
                credit(CONVERSION, Money(110, "USD")),
            ),
            (a_rate(),),
            RateMismatch,
        ),
    ],
    ids=["not in the entry", "named twice", "no child of it", "another account", "a cent too much", "both come in"],
)
def test_a_rate_that_the_lines_do_not_bear_out_is_refused(
    lines: tuple[Line, ...], rates: tuple[ExchangeRate, ...], refusal: type[Refused]
) -> None:
    """By its currencies, by the accounts it passes through, by its amount."""
    with pytest.raises(refusal):
        an_exchange(lines, *rates)


def test_several_pairs_are_named_and_not_multiplied() -> None:
    """What of a currency's sum belongs to which pair is not known."""
    lines = (
        *exchange(Money(100, "EUR"), Money(110, "USD")),
        *exchange(Money(100, "EUR"), Money(85, "GBP"), through=f"{CONVERSION}:gbp"),
    )
    assert len(an_exchange(lines, a_rate(), a_rate("0.85", "EUR", "GBP")).data.rates) == 2


def test_conversion_accounts_are_a_family() -> None:
    """The account itself and what is below it."""
    assert [is_conversion(code) for code in (CONVERSION, f"{CONVERSION}:eur", f"{CONVERSION}_eur", "equity")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("base", "quote", "rate", "source"),
    [
        ("EUR", "EUR", "1", ""),
        ("EUR", "USD", "0", ""),
        ("EUR", "USD", "-1", ""),
        ("EUR", "USD", "1E-11", ""),
        ("EUR", "USD", "1234567890123456", ""),
        ("EUR", "USD", "NaN", ""),
        ("EUR", "USD", "Infinity", ""),
        ("EUR", "USD", "1", "s" * 65),
        ("EUR", "USD", "1", "a@b"),
    ],
)
def test_what_is_no_rate(base: str, quote: str, rate: str, source: str) -> None:
    """Of one currency, not positive, not exact, or from a source that is no code."""
    with pytest.raises(Invalid):
        ExchangeRate(base, quote, Decimal(rate), source)


def test_a_currency_that_is_not_supported_has_no_rate() -> None:
    """Its minor unit is not known."""
    with pytest.raises(NotSupported):
        ExchangeRate("EUR", "XXX", Decimal(1))


def test_an_entry_keeps_so_many_rates() -> None:
    """A bound on everything."""
    with pytest.raises(Invalid):
        an_exchange(exchange(Money(100, "EUR"), Money(110, "USD")), *(a_rate() for _ in range(ENTRY_RATES + 1)))
