"""Bugs to plant in webhooks that go out: who is told, how it is signed, what is tried again and what is on record."""

from typing import Final

from tests.simulation.planting import one

SENDING, FAN_OUT = "shared/webhooks/use_cases/sending.py", "shared/webhooks/use_cases/fan_out.py"
ENDPOINT_RULES = "shared/webhooks/rules/endpoints.py"

WEBHOOK_PLANTS: Final = (
    one(
        "webhook_sent_to_a_disabled_endpoint",
        SENDING,
        "        if not endpoint.enabled:\n            return Answer(trouble=Trouble.ENDPOINT_DISABLED)\n",
        "",
    ),
    one(
        "old_webhook_secret_ends_at_once",
        ENDPOINT_RULES,
        "OLD_SECRET_LIVES: Final = timedelta(hours=24)",
        "OLD_SECRET_LIVES: Final = timedelta()",
    ),
    one(
        "next_webhook_attempt_never_asked_for",
        SENDING,
        "        following.append(deliver(call, delivery))\n",
        "        pass\n",
    ),
    one("only_the_first_endpoint_told", FAN_OUT, "for endpoint in receivers]", "for endpoint in receivers[:1]]"),
    one(
        "endpoint_disabled_without_notice",
        SENDING,
        "        following.append(disabled_notice(call, after))\n",
        "",
    ),
    one(
        "webhook_id_of_the_attempt",
        SENDING,
        "headers(secrets, message.id, call.at, message.body)",
        "headers(secrets, f'{message.id}-{call.at:%H%M}', call.at, message.body)",
    ),
    one(
        "webhook_lost_between_two_queues",
        SENDING,
        "                self._desk.outbox.hand_over(deliver_slowly(call, delivery))\n",
        "",
    ),
    one(
        "every_answer_taken_for_a_success",
        "shared/webhooks/rules/settling.py",
        "    return None if answer.status in _SUCCESS else Trouble.STATUS\n",
        "    return None if answer.status else Trouble.STATUS\n",
    ),
)
"""One line of ours each, broken."""
