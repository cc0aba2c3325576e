"""Endpoints are made, changed, disabled and enabled, and their secrets shown once.

Each change is one commit of the endpoint and of the list by which messages find it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from shared.calls import Call, Done, Outcome
from shared.desk import Desk
from shared.events import Announcement
from shared.identity import Ids, TenantId
from shared.listing import Listing
from shared.ports import Create, Document, Query, Ref, Update, View, Write
from shared.privacy import Vault
from shared.webhooks.model import DisabledBecause, Endpoint, SigningSecret
from shared.webhooks.records import (
    ENDPOINTS,
    Routes,
    endpoint_ref,
    read_endpoint,
    read_routes,
    routes_ref,
    secret_place,
    write_endpoint,
    write_routes,
)
from shared.webhooks.refusals import UnknownEndpoint
from shared.webhooks.rules.endpoints import disabled, enabled, rotated, routed
from shared.webhooks.rules.signing import new_secret
from shared.webhooks.rules.urls import Reach, read_url

TOPIC: Final = "webhooks"
DISABLED: Final = "webhook_endpoint.disabled"


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint to make; filters are checked already."""

    url: str = field(repr=False)
    filters: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change of an endpoint; None leaves it as it is."""

    url: str | None = field(default=None, repr=False)
    filters: tuple[str, ...] | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """An endpoint and, for whoever made or rotated its secret and never again, that secret."""

    endpoint: Endpoint
    secret: str | None = field(repr=False)


class Endpoints:
    """The webhook endpoints of every tenant."""

    def __init__(self, desk: Desk, vault: Vault, ids: Ids, reach: Reach) -> None:
        """Write through `desk`, seal with `vault`; `ids` draws the secrets; URLs may lead as far as `reach`."""
        self._desk, self._vault, self._ids, self._reach = desk, vault, ids, reach

    def create(self, call: Call, new: NewEndpoint) -> Done[Shown]:
        """Make an endpoint. Asked again, the answer has no secret: it was shown once.

        Raises:
            UrlNotAllowed: webhooks are not sent there.
            TooManyEndpoints: as many as can be are enabled.
            PersonalDataUnreadable: the tenant's key is gone.
            Retryable: keys or store did not answer.
        """
        read_url(new.url, self._reach)
        key = call.cause.stored_id("webhook_endpoint")
        self._vault.create_subject(call.tenant, key)
        fresh, shown = self._seal(call, key)
        endpoint = Endpoint(key, new.url, new.filters, new.description, (fresh,), call.at)
        ref, routes = endpoint_ref(call.tenant, key), routes_ref(call.tenant)

        def decide(view: View) -> Outcome[Shown]:
            writes = (Create(ref, write_endpoint(endpoint)), *route(routes, view, endpoint))
            return Outcome(ref, "webhook_endpoint.create", Shown(endpoint, shown), writes)

        return self._desk.perform(call, [routes], decide, _shown_to_who_made(fresh, shown))

    def rotate(self, call: Call, endpoint_id: str) -> Done[Shown]:
        """Give an endpoint a new secret; messages are signed with the old one too for 24 hours.

        Raises:
            UnknownEndpoint: there is none under this id.
            TooManySecrets: it was rotated too often.
            PersonalDataUnreadable, Retryable: as for `create`.
        """
        self.endpoint(call.tenant, endpoint_id)
        fresh, shown = self._seal(call, endpoint_id)
        ref = endpoint_ref(call.tenant, endpoint_id)

        def decide(view: View) -> Outcome[Shown]:
            document = there(view[ref])
            after = rotated(read_endpoint(document), fresh, call.at)
            write = Update(ref, write_endpoint(after), document.version)
            return Outcome(ref, "webhook_endpoint.rotate", Shown(after, shown), (write,))

        return self._desk.perform(call, [ref], decide, _shown_to_who_made(fresh, shown))

    def update(self, call: Call, endpoint_id: str, changes: Changes) -> Done[Endpoint]:
        """Change where an endpoint is, what it wants or what it is called; deliveries under way go to the new place.

        Raises:
            UnknownEndpoint: there is none under this id.
            UrlNotAllowed: webhooks are not sent there.
        """
        if changes.url is not None:
            read_url(changes.url, self._reach)

        def change(endpoint: Endpoint) -> Endpoint:
            return replace(
                endpoint,
                url=endpoint.url if changes.url is None else changes.url,
                filters=endpoint.filters if changes.filters is None else changes.filters,
                description=endpoint.description if changes.description is None else changes.description,
                version=endpoint.version + 1,
            )

        return self._change(call, endpoint_id, "webhook_endpoint.update", change)

    def disable(self, call: Call, endpoint_id: str) -> Done[Endpoint]:
        """Tell an endpoint nothing any more; what is under way to it fails, and can be sent again once it is enabled.

        Raises:
            UnknownEndpoint: there is none under this id.
        """

        def change(endpoint: Endpoint) -> Endpoint:
            return disabled(endpoint, DisabledBecause.ASKED, call.at) if endpoint.enabled else endpoint

        return self._change(call, endpoint_id, "webhook_endpoint.disable", change)

    def enable(self, call: Call, endpoint_id: str) -> Done[Endpoint]:
        """Tell an endpoint again, from now on.

        Raises:
            UnknownEndpoint: there is none under this id.
            TooManyEndpoints: as many as can be are enabled.
        """

        def change(endpoint: Endpoint) -> Endpoint:
            return endpoint if endpoint.enabled else enabled(endpoint)

        return self._change(call, endpoint_id, "webhook_endpoint.enable", change)

    def endpoint(self, tenant: TenantId, endpoint_id: str) -> Endpoint:
        """One endpoint, its secrets sealed.

        Raises:
            UnknownEndpoint: there is none under this id.
        """
        ref = endpoint_ref(tenant, endpoint_id)
        return read_endpoint(there(self._desk.store.get([ref])[ref]))

    def page(self, tenant: TenantId, limit: int, cursor: str | None) -> Listing[Endpoint]:
        """Endpoints in the order of their ids, disabled ones too, a page at a time."""
        page = self._desk.store.query(Query(ENDPOINTS, tenant, limit=limit, after=cursor))
        return Listing(tuple(read_endpoint(document) for document in page.documents), page.cursor)

    def _change(
        self, call: Call, endpoint_id: str, action: str, change: Callable[[Endpoint], Endpoint]
    ) -> Done[Endpoint]:
        ref, routes = endpoint_ref(call.tenant, endpoint_id), routes_ref(call.tenant)

        def decide(view: View) -> Outcome[Endpoint]:
            document = there(view[ref])
            before = read_endpoint(document)
            after = change(before)
            if after == before:
                return Outcome(ref, action, before)
            writes = (Update(ref, write_endpoint(after), document.version), *route(routes, view, after))
            told = (disabled_notice(call, after),) if before.enabled and not after.enabled else ()
            return Outcome(ref, action, after, writes, told)

        return self._desk.perform(call, [ref, routes], decide, read_endpoint)

    def _seal(self, call: Call, endpoint_id: str) -> tuple[SigningSecret, str]:
        """A fresh secret, sealed, and as it is shown."""
        key, shown = call.cause.stored_id("webhook_secret"), new_secret(self._ids)
        sealer = self._vault.sealer(call.tenant, endpoint_id)
        return SigningSecret(key, sealer.seal(secret_place(call.tenant, endpoint_id), key, shown)), shown


def route(routes: Ref, view: View, endpoint: Endpoint) -> tuple[Write, ...]:
    """List an endpoint, as it is now, among those that messages are told to; nothing where that changes nothing.

    Raises:
        TooManyEndpoints: one enabled endpoint too many.
    """
    document = view[routes]
    before: Routes = read_routes(document)
    after = routed(before, endpoint)
    if after == before:
        return ()
    fields = write_routes(after)
    return (Update(routes, fields, document.version) if document else Create(routes, fields),)


def disabled_notice(call: Call, endpoint: Endpoint) -> Announcement:
    """What is announced of an endpoint that is told nothing any more."""
    because = endpoint.disabled_because.value if endpoint.disabled_because else None
    return call.announcement(TOPIC, DISABLED, endpoint.id, endpoint.version, {"because": because})


def there(document: Document | None) -> Document:
    """The document of an endpoint.

    Raises:
        UnknownEndpoint: there is none.
    """
    if document is None:
        message = "no such webhook endpoint"
        raise UnknownEndpoint(message, field="id")
    return document


def _shown_to_who_made(fresh: SigningSecret, shown: str) -> Callable[[Document], Shown]:
    """Answers a repeated call: with the secret only where it is this very call's that was written."""

    def again(document: Document) -> Shown:
        endpoint = read_endpoint(document)
        ours = any(secret.id == fresh.id and secret.sealed == fresh.sealed for secret in endpoint.secrets)
        return Shown(endpoint, shown if ours else None)

    return again
