"""One attempt a task: read, sign, send, record; what follows is a command that is not to come before its time.

Nothing is written before the message is sent. Whoever dies between sending and recording has sent it, and the task
comes again and sends the same message once more: at least once, under the same `webhook-id`.

A slow endpoint's attempts are made on a queue of their own. The task that finds it slow hands the attempt over there;
nothing is written for that, since the task itself comes again until the other queue has taken it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from shared.calls import Call, Done, Outcome
from shared.desk import Desk, audit_record
from shared.events import Message as Sent
from shared.faults import Retryable
from shared.identity import Cause
from shared.ports import Create, Document, Ref, Update, View, Write
from shared.privacy import PersonalDataUnreadable, Purpose, Vault
from shared.webhooks.model import Answer, Deliverer, Delivery, Endpoint, Message, Posting, Trouble
from shared.webhooks.records import (
    attempt_ref,
    delivery_ref,
    endpoint_ref,
    message_ref,
    read_delivery,
    read_endpoint,
    read_message,
    routes_ref,
    secret_place,
    write_attempt,
    write_endpoint,
    write_progress,
)
from shared.webhooks.rules.settling import Settled, settle
from shared.webhooks.rules.signing import headers
from shared.webhooks.use_cases.endpoints import disabled_notice, route
from shared.webhooks.use_cases.fan_out import DOOR, deliver, deliver_slowly, waiting

ACTION: Final = "webhook.attempt"


@dataclass(frozen=True, slots=True)
class Order:
    """The attempt to make, and what to read for it."""

    delivery: str
    endpoint: str
    message: str
    number: int


class Sending:
    """Makes the attempts of every tenant's deliveries."""

    def __init__(self, desk: Desk, vault: Vault, deliverer: Deliverer) -> None:
        """Write through `desk`, open secrets with `vault`, send with `deliverer`."""
        self._desk, self._vault, self._deliverer = desk, vault, deliverer

    def attempt(self, call: Call, order: Order, *, patiently: bool = False) -> Done[Delivery]:
        """Make one attempt and record what came of it; one that is recorded, or overtaken by a resend, is not made.

        A slow endpoint's is left to the queue of slow endpoints, unless it is made `patiently`: that is, from there.

        Raises:
            Retryable: keys, store or queue did not answer; if the message was sent, it will be sent again.
        """
        call = replace(call, cause=Cause("system", DOOR, f"{order.delivery}.{order.number}"))
        refs = (
            delivery_ref(call.tenant, order.delivery),
            endpoint_ref(call.tenant, order.endpoint),
            message_ref(call.tenant, order.message),
        )
        documents = self._desk.store.get(refs)
        delivery = read_delivery(_known(documents, refs[0]))
        answer = None
        if delivery.awaits(order.number):
            endpoint, message = read_endpoint(_known(documents, refs[1])), read_message(_known(documents, refs[2]))
            if endpoint.slow_since and endpoint.enabled and not patiently:
                self._desk.outbox.hand_over(deliver_slowly(call, delivery))
                return Done(delivery)
            answer = self._send(call, endpoint, message)
        return self._record(call, order, answer)

    def _send(self, call: Call, endpoint: Endpoint, message: Message) -> Answer:
        if not endpoint.enabled:
            return Answer(trouble=Trouble.ENDPOINT_DISABLED)
        try:
            secrets = self._open(call, endpoint)
        except PersonalDataUnreadable:
            return Answer(trouble=Trouble.SECRET_UNREADABLE)
        signed = headers(secrets, message.id, call.at, message.body)
        return self._deliverer.deliver(Posting(endpoint.url, signed, message.body.encode()))

    def _open(self, call: Call, endpoint: Endpoint) -> list[str]:
        sealer, place = self._vault.sealer(call.tenant, endpoint.id), secret_place(call.tenant, endpoint.id)
        live = [secret for secret in endpoint.secrets if secret.live(call.at)]
        return [sealer.open(place, secret.id, secret.sealed, Purpose.SIGNING) for secret in live]

    def _record(self, call: Call, order: Order, answer: Answer | None) -> Done[Delivery]:
        refs = [delivery_ref(call.tenant, order.delivery), endpoint_ref(call.tenant, order.endpoint)]

        def decide(view: View) -> Outcome[Delivery]:
            view.need(refs)
            document, endpoint = _known(view.documents, refs[0]), _known(view.documents, refs[1])
            delivery = read_delivery(document)
            if not delivery.awaits(order.number):
                return Outcome(refs[0], ACTION, delivery, messages=waiting(call, document, view))
            if answer is None:
                message = "the attempt was overtaken, and then waited for again"
                raise Retryable(message, detail={"delivery": delivery.id})
            settled = settle(delivery, read_endpoint(endpoint), answer, call.at)
            return _recorded(call, settled, document=document, endpoint=endpoint, view=view)

        return self._desk.perform(call, refs, decide, read_delivery)


def _recorded(call: Call, settled: Settled, *, document: Document, endpoint: Document, view: View) -> Outcome[Delivery]:
    delivery, before, after = settled.delivery, read_endpoint(endpoint), settled.endpoint
    following: list[Sent] = []
    writes: list[Write] = [
        Create(attempt_ref(call.tenant, delivery.id, settled.attempt.number), write_attempt(delivery, settled.attempt))
    ]
    if after != before:
        writes.append(Update(endpoint.ref, write_endpoint(after), endpoint.version))
    if before.enabled and not after.enabled:
        following.append(disabled_notice(call, after))
        writes += route(routes_ref(call.tenant), view, after)
        writes.append(audit_record(call, Outcome(endpoint.ref, "webhook_endpoint.disable", None)))
    if delivery.next_attempt_at:
        following.append(deliver(call, delivery))
    progress = write_progress(delivery, [message.id for message in following])
    writes.append(Update(document.ref, progress, document.version))
    return Outcome(document.ref, ACTION, delivery, tuple(writes), tuple(following))


def _known(documents: Mapping[Ref, Document | None], ref: Ref) -> Document:
    document = documents[ref]
    if document is None:
        message = f"{ref.path} is gone"
        raise LookupError(message)
    return document
