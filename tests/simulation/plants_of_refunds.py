"""Bugs to plant in refunds that we ask for: keys, words about them in any order, and what they do to the books."""

from typing import Final

from tests.simulation.planting import one

RULES, TOLD = "shared/payments/refunds/rules.py", "shared/payments/refunds/told.py"
MONEY_OUT = "shared/payments/use_cases/money_out.py"

REFUND_PLANTS: Final = (
    one(
        "refund_asked_again_under_another_key",
        MONEY_OUT,
        "RefundOrder(payment, refund.money, refund.id)",
        'RefundOrder(payment, refund.money, refund.id if fresh else f"{refund.id}~")',
    ),
    one("word_before_our_answer_taken_for_theirs", TOLD, "    if tally.unanswered:\n", "    if False:\n"),
    one(
        "failed_refund_leaves_its_sale_taken_back",
        RULES,
        "        after, lines = put.invoice, put.lines\n",
        "        after, lines = None, put.lines\n",
    ),
    one(
        "tax_of_a_refund_kept",
        "shared/invoicing/rules/correcting.py",
        "        if row.tax.amount:\n",
        "        if row.tax.amount and gross == invoice.gross.amount:\n",
    ),
    one(
        "refund_that_came_back_stays_with_the_partner",
        RULES,
        "        whence = clearing_account(refund.partner)\n",
        "        pass\n",
    ),
)
"""One line of ours each, broken."""
