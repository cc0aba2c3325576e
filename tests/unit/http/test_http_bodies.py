import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.faults import Refused
from shared.http.bodies import parse, parse_strings, read_json
from shared.http.problems import InvalidFields
from shared.ledger.wire.entries import NewEntry
from tests.unit.http.rooms import Order

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False).map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=150)
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_bytes_come_they_are_an_order_or_refused(body: bytes) -> None:
    """No body is a bug."""
    try:
        order = parse(Order, body)
    except Refused:
        return
    assert parse(Order, order.model_dump_json().encode()) == order


@settings(max_examples=100)
@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_whatever_parameters_come_they_are_read_or_refused(values: dict[str, str]) -> None:
    """No path or query is a bug."""
    try:
        parse_strings(Order, values)
    except Refused:
        return


def test_a_fraction_is_never_a_float() -> None:
    """0.1 stays what was written."""
    assert read_json(b'{"rate": 0.1}') == {"rate": Decimal("0.1")}
    assert type(read_json(b"1e2")) is Decimal


def test_a_list_with_a_wrong_item_is_not_called_too_short() -> None:
    """The item is at fault; a list that is short by itself is still told so."""
    line = {"account": "assets:bank", "side": "debit", "amount": {"amount": 1, "currency": "GBP"}}
    assert told([line, {**line, "side": "left"}]) == ["lines.1.side"]
    assert told([line]) == ["lines"]


def told(lines: list[object]) -> list[str]:
    """The fields that are named when an entry has such lines."""
    with pytest.raises(InvalidFields) as refused:
        parse(NewEntry, json.dumps({"lines": lines}).encode())
    return [error["field"] for error in refused.value.errors]
