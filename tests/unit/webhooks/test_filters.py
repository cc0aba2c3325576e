import pytest

from shared.webhooks.refusals import NotAFilter
from shared.webhooks.rules.filters import event_filter, wanted


@pytest.mark.parametrize(
    ("one", "event_type", "takes"),
    [
        ("*", "payment.applied", True),
        ("payment.applied", "payment.applied", True),
        ("payment.applied", "payment.applied.late", False),
        ("payment.*", "payment.applied", True),
        ("payment.*", "payment.applied.late", True),
        ("payment.*", "payment", False),
        ("payment.*", "payments.made", False),
        ("payment.applied.*", "payment.applied", False),
        ("invoice.issued", "invoice.issue", False),
    ],
)
def test_a_filter_takes_its_type_or_what_is_below_it(one: str, event_type: str, *, takes: bool) -> None:
    """A group ends at its full stop, so that no other group begins like it."""
    assert wanted((event_filter(one),), event_type) is takes


def test_any_of_the_filters_is_enough() -> None:
    """And none wants nothing."""
    assert wanted(("invoice.issued", "payment.*"), "payment.refunded")
    assert not wanted((), "payment.refunded")


@pytest.mark.parametrize(
    "text",
    ["", "**", "payment*", "*.applied", "payment.*.late", ".payment", "payment.", "Payment.applied", "a b", "a" * 101],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    """A wildcard stands alone, or after a full stop at the end."""
    with pytest.raises(NotAFilter):
        event_filter(text)
