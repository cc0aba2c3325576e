"""What is a tax code and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.payroll.countries.gb.tax_code import CodeKind, Nation, TaxCode
from shared.payroll.refusals import InvalidTaxCode


@pytest.mark.parametrize(
    ("text", "nation", "kind", "number"),
    [
        ("1257L", Nation.REST_OF_UK, CodeKind.ALLOWANCE, 1257),
        ("1383M", Nation.REST_OF_UK, CodeKind.ALLOWANCE, 1383),
        ("1131N", Nation.REST_OF_UK, CodeKind.ALLOWANCE, 1131),
        ("500T", Nation.REST_OF_UK, CodeKind.ALLOWANCE, 500),
        ("S1257L", Nation.SCOTLAND, CodeKind.ALLOWANCE, 1257),
        ("C1257L", Nation.WALES, CodeKind.ALLOWANCE, 1257),
        ("0T", Nation.REST_OF_UK, CodeKind.ALLOWANCE, 0),
        ("S0T", Nation.SCOTLAND, CodeKind.ALLOWANCE, 0),
        ("K475", Nation.REST_OF_UK, CodeKind.ADDITION, 475),
        ("CK9", Nation.WALES, CodeKind.ADDITION, 9),
        ("SK630", Nation.SCOTLAND, CodeKind.ADDITION, 630),
        ("BR", Nation.REST_OF_UK, CodeKind.FLAT, 0),
        ("CD1", Nation.WALES, CodeKind.FLAT, 0),
        ("SBR", Nation.SCOTLAND, CodeKind.FLAT, 0),
        ("SD3", Nation.SCOTLAND, CodeKind.FLAT, 0),
        ("NT", Nation.REST_OF_UK, CodeKind.NO_TAX, 0),
    ],
)
def test_a_code_names_nation_kind_and_number(text: str, nation: Nation, kind: CodeKind, number: int) -> None:
    """Every form of code is read for what it does to pay."""
    code = TaxCode.parse(text)
    assert (code.nation, code.kind, code.number, code.cumulative) == (nation, kind, number, True)


@pytest.mark.parametrize(
    "text", ["1257L W1", "1257LM1", "1257l m1", "1257LX", "1257L X", "1257L W1/M1", "1257L W1M1", "1257L/1"]
)
def test_a_marker_makes_each_pay_day_stand_alone(text: str) -> None:
    """W1, M1 and X all say the same: the year so far does not count."""
    assert TaxCode.parse(text) == TaxCode(Nation.REST_OF_UK, "1257L", cumulative=False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "L",
        "1257",
        "L1257",
        "01257L",
        "0L",
        "K0",
        "K",
        "K475L",
        "1257Q",
        "12.57L",
        "-1257L",
        "D2",
        "CD3",
        "SD4",
        "SNT",
        "CNT",
        "SC1257L",
        "1257L W2",
        "1257L\n",
        "\u0661\u0662\u0665\u0667L",
        "1234567L",
    ],
)
def test_what_is_no_code_is_refused(text: str) -> None:
    """A refusal names the field and never repeats the text."""
    with pytest.raises(InvalidTaxCode) as refused:
        TaxCode.parse(text)
    assert refused.value.field == "tax_code"
    assert not refused.value.detail


@pytest.mark.parametrize("body", ["S1257L", "1257LX", "1257l", "anything"])
def test_a_code_cannot_be_built_wrong(body: str) -> None:
    """The constructor holds the same line as the parser."""
    with pytest.raises(InvalidTaxCode):
        TaxCode(Nation.REST_OF_UK, body)


@given(st.from_regex(r"[SC]?([1-9][0-9]{0,5}[LMNT]|K[1-9][0-9]{0,5}|0T|BR|D[01])( X)?", fullmatch=True))
def test_writing_and_reading_are_inverse(text: str) -> None:
    """A code's text is itself again."""
    assert str(TaxCode.parse(text)) == text


@given(st.text(max_size=12))
def test_any_text_is_a_code_or_refused(text: str) -> None:
    """No text makes the parser fall over."""
    try:
        code = TaxCode.parse(text)
    except InvalidTaxCode:
        return
    assert TaxCode.parse(str(code)) == code
