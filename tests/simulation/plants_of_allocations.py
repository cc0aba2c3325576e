"""Bugs to plant in applied cash: orders, their undoing, matches, write-offs, exchange, virtual accounts."""

from typing import Final

from tests.simulation.planting import one

USE_CASE = "shared/payments/use_cases/allocations.py"
RULES, SHARES = "shared/payments/rules/allocating.py", "shared/payments/rules/shares.py"
ACCOUNTS = "shared/payments/use_cases/virtual_accounts.py"
SETTLING = "shared/payments/rules/settling.py"

ALLOCATION_PLANTS: Final = (
    one(
        "refused_order_carried_out_later",
        USE_CASE,
        '        recorded = recording(call, ref, "payment.allocate", decide, makes=True)\n',
        "        recorded = decide\n",
    ),
    one("write_off_limit_not_asked", RULES, "    if rest > limit:\n", "    if False:\n"),
    one(
        "first_order_goes_back_first",
        SHARES,
        "in reversed(list(enumerate(payment.shares))):",
        "in list(enumerate(payment.shares)):",
    ),
    one(
        "allocated_money_goes_back_before_the_unapplied",
        "shared/payments/rules/settlement.py",
        "    unapplied = min(amount, payment.unapplied)\n",
        "    unapplied = max(0, amount - payment.matched)\n",
    ),
    one(
        "undone_cash_made_a_customers_credit",
        RULES,
        "    lines = (*taken.lines, Line(UNAPPLIED_CASH, Side.CREDIT, money))\n",
        "    lines = (*taken.lines, Line(CUSTOMER_CREDIT, Side.CREDIT, money))\n",
    ),
    one(
        "undoing_told_to_nobody",
        USE_CASE,
        '"payment.unallocate", after, writes, told)',
        '"payment.unallocate", after, writes)',
    ),
    one(
        "undone_order_stands",
        USE_CASE,
        "        state=AllocationState.UNDONE,\n",
        "",
    ),
    one(
        "money_that_names_several_never_matched",
        "shared/payments/applying.py",
        "    if len(numbers) <= 1 and not payment.customer:\n",
        "    if not payment.customer:\n",
    ),
    one(
        "matched_to_one_of_two_that_fit",
        "shared/payments/rules/matching.py",
        "if len(exact) == 1 and cash.amount else ()",
        "if exact and cash.amount else ()",
    ),
    one(
        "exchanged_at_the_first_rate_in_reach",
        "shared/payments/exchange_rates.py",
        "        for back in range(REACH_DAYS + 1):\n",
        "        for back in reversed(range(REACH_DAYS + 1)):\n",
    ),
    one(
        "released_account_still_its_customers",
        ACCOUNTS,
        'Update(ref, {"customer_id": "", "by"',
        'Update(ref, {"by"',
    ),
    one(
        "money_to_an_account_of_nobody",
        SETTLING,
        "        return paid_by(settlement, _payer(call, stored, view))\n",
        "        return settlement\n",
    ),
    one(
        "money_for_nothing_refused_as_never_come",
        SETTLING,
        "    if stage is Stage.SUCCEEDED:\n",
        "    if stage is Stage.SUCCEEDED and not (event.invoice_id or event.reference or stored.account):\n"
        "        raise PaymentNeverCame('of nothing')\n"
        "    if stage is Stage.SUCCEEDED:\n",
    ),
)
"""One line of ours each, broken."""
