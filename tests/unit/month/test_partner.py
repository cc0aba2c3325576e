from collections import Counter

from emulators.month.expectations import events
from emulators.month.inputs import MonthInputs, Told
from emulators.month.partner import shuffled, told


def invoice_ids(example: MonthInputs) -> dict[str, str]:
    """An id for every invoice."""
    return {reference: f"id-{reference}" for reference in example.invoices}


def test_every_event_is_told_twice_in_an_order_of_its_own(example: MonthInputs) -> None:
    """The same order in every run."""
    happened = list(told(list(events(example)), example, invoice_ids(example)))
    deliveries = shuffled(happened, "2026-11-10")
    assert set(Counter(each["id"] for each in deliveries).values()) == {2}
    assert [each["id"] for each in deliveries[: len(happened)]] != [each["id"] for each in happened]
    assert deliveries == shuffled(happened, "2026-11-10")


def test_events_have_stripes_shape(example: MonthInputs) -> None:
    """A payment names our invoice; a refund names the payment and what it gives back of it."""
    happened = list(events(example))
    by_kind = {each.settlement.kind: each for each in happened}
    shaped = {each["type"]: each for each in told(list(by_kind.values()), example, invoice_ids(example))}
    paid, back = (shaped[name]["data"]["object"] for name in ("payment_intent.succeeded", "refund.created"))
    assert paid["metadata"] == {"invoice_id": f"id-{by_kind[Told.PAYMENT].settlement.invoice}"}
    assert paid["amount_received"] == by_kind[Told.PAYMENT].amount
    assert back["amount"] == by_kind[Told.REFUND].amount
    assert back["payment_intent"] == f"pi_{str(by_kind[Told.REFUND].settlement.payment).replace('-', '')}"
