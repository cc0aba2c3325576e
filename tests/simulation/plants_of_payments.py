"""Bugs to plant in payments: signatures, batches, life cycles, and what each event does to the books."""

from typing import Final

from tests.simulation.planting import one

PAYMENTS, LIFECYCLES = "shared/payments/use_cases/payments.py", "shared/payments/rules/lifecycles.py"
PAYMENT_SETTLING = "shared/payments/rules/settling.py"
SETTLEMENT = "shared/payments/rules/settlement.py"
INBOX = "shared/payments/use_cases/inbox.py"

PAYMENT_PLANTS: Final = (
    one(
        "refund_that_was_overtaken_given_back",
        LIFECYCLES,
        "    Stage.VOID: {EventKind.REFUND_SUCCEEDED: Stage.FAILED},",
        "    Stage.VOID: {EventKind.REFUND_SUCCEEDED: Stage.SUCCEEDED},",
    ),
    one(
        "refund_made_again_before_the_failure_refused",
        PAYMENT_SETTLING,
        '        _wait(call, stored, "the failure of another refund may still come")\n',
        "        pass\n",
    ),
    one(
        "payment_told_twice_received_twice",
        LIFECYCLES,
        "    Stage.SUCCEEDED: {EventKind.PAYMENT_REVERSED: Stage.REVERSED},\n",
        "    Stage.SUCCEEDED: {EventKind.PAYMENT_REVERSED: Stage.REVERSED, "
        "EventKind.PAYMENT_SUCCEEDED: Stage.SUCCEEDED},\n",
    ),
    one(
        "payment_without_its_invoice_refused",
        PAYMENT_SETTLING,
        '        _wait(call, stored, "the invoice is not issued yet")\n        return None\n',
        "        message = 'no such invoice'\n        raise ObjectNeverCame(message)\n",
    ),
    one("late_event_taken_for_none", PAYMENT_SETTLING, '    _wait(call, stored, "the payment is not there yet")\n', ""),
    one(
        "forged_webhook_taken",
        "shared/payments/partners/reading.py",
        "    return any([hmac.compare_digest(made, one) for one in given])",
        "    return True or any([hmac.compare_digest(made, one) for one in given])",
    ),
    one(
        "old_signature_taken",
        "shared/payments/partners/reading.py",
        "if not abs(at.timestamp() - signed_at) <= REPLAY_WINDOW_SECONDS:",
        "if False:",
    ),
    one(
        "only_the_newest_secret",
        INBOX,
        "self._live(call, raw.partner), call.at)",
        "self._live(call, raw.partner)[:1], call.at)",
    ),
    one(
        "forged_item_taken_along",
        "shared/payments/partners/adyen.py",
        "    except NOT_AN_EVENT:  # a bad signature among them\n        return None\n",
        "    except NOT_AN_EVENT:\n        return secrets[0].key_id\n",
    ),
    one("half_forged_batch_acknowledged", INBOX, "        _refuse_forged(call, raw.partner, proven)\n", ""),
    one(
        "rest_of_a_batch_dropped",
        INBOX,
        "for piece in proven.pieces if _fits(piece)]\n        done",
        "for piece in proven.pieces[:1] if _fits(piece)]\n        done",
    ),
    one(
        "accounts_of_a_partner_not_told_apart",
        "shared/payments/records.py",
        'return f"{account}/{name}" if account else name',
        "return name",
    ),
    one("overtaking_event_taken_for_stale", LIFECYCLES, "later = any(", "later = False and any("),
    one(
        "reversal_takes_all_that_is_left",
        SETTLEMENT,
        "    taken = min(reversal_told, payment.received - refunded)\n",
        "    taken = payment.received - refunded if reversal_told else 0\n",
    ),
    one(
        "reversal_blind_to_refunds",
        SETTLEMENT,
        "    taken = min(reversal_told, payment.received - refunded)\n",
        "    taken = payment.reversed or min(reversal_told, payment.received - refunded)\n",
    ),
    one(
        "earlier_round_decides_again",
        LIFECYCLES,
        "if event.round > known.round else Meaning.STALE",
        "if event.round != known.round else Meaning.STALE",
    ),
    one(
        "dispute_won_and_still_set_aside",
        "shared/payments/rules/clearing.py",
        "Stage.WON: _CLEARING,",
        "Stage.WON: CHARGEBACKS,",
    ),
    one(
        "reversed_payment_leaves_its_invoice_paid",
        SETTLEMENT,
        "    return Settlement(after, invoice, (*lines, *fee_lines(event)), ",
        "    return Settlement(after, None, (*lines, *fee_lines(event)), ",
    ),
    one(
        "acknowledged_before_the_write",
        INBOX,
        "        done = self._desk.store.transact((), decide)\n",
        "        try:\n            done = self._desk.store.transact((), decide)\n"
        "        except __import__('shared.faults', fromlist=['Retryable']).Retryable:\n"
        "            return Done(tuple(one.stored for one in told))\n",
    ),
    one("dedupe_dropped", PAYMENTS, "if stored.state is not EventState.RECEIVED:", "if False:"),
)
"""One line of ours each, broken."""
