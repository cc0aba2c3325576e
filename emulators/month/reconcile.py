"""The partners' accounts as the books have them: every entry on a clearing account, read by what stands against it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from emulators.month.clearing import Held, positions
from emulators.month.drive import statement_reference
from emulators.month.gather import Evidence
from emulators.month.inputs import Payout, Told, minor
from emulators.month.partner import payment_id, payout_event_id

CLEARING: Final = "assets:clearing:"
MOVES: Final[Mapping[str, str]] = {
    "assets:receivable": "payments",
    "liabilities:customer_credit": "payments",
    "liabilities:unapplied_cash": "payments",
    "assets:disputed": "disputes",
    "expenses:payment_fees": "fees",
    "assets:bank": "payouts",
}
"""What a line against a clearing account is about."""


def from_the_books(evidence: Evidence) -> dict[Held, Counter[str]]:
    """By partner and currency: payments, fees, refunds, disputes, payouts, and `clearing`, the account's balance."""
    found: dict[Held, Counter[str]] = defaultdict(Counter)
    for entry in evidence.facts.entries:
        partner = next((name for line in entry["lines"] if (name := _partner(line["account"]))), "")
        for line in entry["lines"] if partner else ():
            currency, signed = line["amount"]["currency"], line["amount"]["amount"]
            signed = signed if line["side"] == "debit" else -signed
            if not _partner(line["account"]):
                name = MOVES.get(line["account"], line["account"])
                name = "refunds" if name == "payments" and signed > 0 else name
                found[partner, currency][name] += -signed if name == "payments" else signed
    for row in evidence.facts.trial_balance["rows"]:
        if partner := _partner(row["account"]):
            found[partner, row["currency"]]["clearing"] += row["debits"] - row["credits"]
    return found


def rows_of_partners(evidence: Evidence) -> list[dict[str, Any]]:
    """The report's table: what the books say, with the reserve and what is not settled by the partners' statements."""
    books = from_the_books(evidence)
    names = ("payments", "fees", "refunds", "disputes", "payouts", "clearing")
    return [
        {"partner": partner, "currency": currency}
        | {name: books[partner, currency][name] for name in names}
        | {"reserve": position.reserve, "unsettled": position.unsettled}
        for (partner, currency), position in positions(evidence.inputs).items()
    ]


def rows_of_payouts(evidence: Evidence) -> list[dict[str, Any]]:
    """Each payout as the books have it, and what it settles."""
    rows: list[dict[str, Any]] = []
    for payout in evidence.inputs.payouts:
        row = payout.row
        fees = sum((line.fee for line in payout.lines), row.fee)
        rows.append(
            {
                "payout": row.reference,
                "partner": row.partner,
                "currency": row.currency,
                "day": row.day.isoformat(),
                "settled": sum(_settled(evidence, payout)),
                "fees": minor(fees, row.currency),
                "reserve": minor(row.reserve, row.currency),
                "paid_out": paid_out(evidence, payout),
                "settles": [line.settles for line in payout.lines],
            }
        )
    return rows


def partners_differences(evidence: Evidence) -> Iterator[str]:
    """Where the books and the files disagree about a partner, or the books' own figures do not come to the account."""
    books = from_the_books(evidence)
    wanted = positions(evidence.inputs)
    for partner, currency in sorted(wanted.keys() | books.keys()):
        found, position = books[partner, currency], wanted.get((partner, currency))
        name = f"{partner} {currency}"
        left = found["payments"] - sum(found[each] for each in ("fees", "refunds", "disputes", "payouts"))
        if left != found["clearing"]:
            yield f"{name}: its entries come to {left}, its clearing account to {found['clearing']}"
        if position is None:
            yield f"{name}: the files know nothing of it"
            continue
        for each, figure in position.as_figures().items():
            if each not in {"reserve", "unsettled", "held"} and figure != found[each]:
                yield f"{name} {each}: {found[each]} instead of {figure}"
        if found["clearing"] != position.reserve + position.unsettled:
            known = f"{position.reserve} in reserve and {position.unsettled} not settled"
            yield f"{name}: it holds {found['clearing']}, its statements know of {known}"


def payouts_differences(evidence: Evidence) -> Iterator[str]:
    """Where a payout is not there, or not what came of its payments."""
    for row in rows_of_payouts(evidence):
        came = row["settled"] - row["fees"] - row["reserve"]
        if row["paid_out"] is None:
            yield f"{row['payout']}: it is not in the books"
        elif row["paid_out"] != came:
            yield f"{row['payout']}: {row['paid_out']} was paid out, and it settles {came}"


def paid_out(evidence: Evidence, payout: Payout) -> int | None:
    """What the books say was paid out: by the partner's event, or by the accountant's entry of its statement."""
    for event in evidence.facts.events:
        told = (event["partner"], event["event_id"]) == (payout.row.partner, payout_event_id(payout))
        if told and event["state"] == "applied":
            amount: int = event["money"]["amount"]
            return amount
    reference = statement_reference(payout)
    entries = [each for each in evidence.facts.entries if each["reference"] == reference]
    sums = [line["amount"]["amount"] for each in entries for line in each["lines"] if line["account"] == "assets:bank"]
    return sum(sums) if sums else None


def _settled(evidence: Evidence, payout: Payout) -> Iterable[int]:
    """What each line moved: of a payment what the books received, of what came later what the files tell."""
    inputs, partner = evidence.inputs, payout.row.partner
    received = {(each["partner"], each["reference"]): each["received"]["amount"] for each in evidence.facts.payments}
    kinds = {each.reference: each.kind for each in inputs.settlements}
    for line in payout.lines:
        if kinds[line.settles] is Told.PAYMENT:
            yield received.get((partner, payment_id(partner, line.settles)), 0)
        else:
            yield minor(line.amount, payout.row.currency)


def _partner(account: str) -> str:
    return account.removeprefix(CLEARING) if account.startswith(CLEARING) else ""
