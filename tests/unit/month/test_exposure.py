import base64
import json

import pytest

from tests.emulator.month.exposure import Exposure

SOUGHT = "Zoë Quillworth"

HIDDEN = {
    "as it is": f"before {SOUGHT} after".encode(),
    "in JSON": json.dumps({"name": SOUGHT}).encode(),
    "in UTF-16, little end first": f"..{SOUGHT}..".encode("utf-16-le"),
    "in UTF-16, big end first": f"..{SOUGHT}..".encode("utf-16-be"),
    "in hex": SOUGHT.encode().hex().encode(),
    "in capital hex": SOUGHT.encode().hex().upper().encode(),
    "in hex of UTF-16": SOUGHT.encode("utf-16-le").hex().encode(),
    "without spaces": SOUGHT.replace(" ", "").encode(),
    **{
        f"in base64 after {before} bytes": base64.b64encode(b"x" * before + SOUGHT.encode() + b"y" * after)
        for before in range(4)
        for after in range(4)
    },
    "in base64 for addresses": base64.urlsafe_b64encode(f"??>{SOUGHT}".encode()),
    "in base64 of UTF-16": base64.b64encode(f"ab{SOUGHT}".encode("utf-16-le")),
}


@pytest.mark.parametrize("raw", HIDDEN.values(), ids=HIDDEN)
def test_the_search_finds_a_text_in_every_form(raw: bytes) -> None:
    """As it is, escaped, wide, in hex, in base64 wherever it begins."""
    assert Exposure({"log": raw}).where(SOUGHT)


def test_the_search_finds_nothing_where_nothing_is() -> None:
    """Another name, in whatever form, is not it."""
    others = {name: raw.replace(b"Q", b"R").replace(b"U", b"V") for name, raw in list(HIDDEN.items())[:2]}
    assert Exposure(others).where(SOUGHT) == {}
