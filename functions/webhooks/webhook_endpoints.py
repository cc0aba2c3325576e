"""Webhook endpoints: made, changed, disabled, their secrets rotated, their deliveries read and sent again."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from shared.calls import Call, Done
from shared.http.api import Api
from shared.listing import Listing
from shared.webhooks.model import Delivery, Endpoint, Resend
from shared.webhooks.use_cases.endpoints import Shown
from shared.webhooks.use_cases.log import Logged
from shared.webhooks.wire import (
    LoggedWebhookDelivery,
    NewWebhookEndpoint,
    NewWebhookResend,
    WebhookDeliveryAnswer,
    WebhookDeliveryPath,
    WebhookDeliveryQuery,
    WebhookEndpointAnswer,
    WebhookEndpointChanges,
    WebhookEndpointPath,
    WebhookEndpointSecret,
    WebhookResendAnswer,
    WebhookResendPath,
)
from shared.wire import PageAnswer, PageQuery
from shared.wiring import house

api = Api("webhook_endpoints", house)


@api.route("POST", "/v1/webhook_endpoints", status=201, answers=WebhookEndpointSecret)
def create(call: Call, body: NewWebhookEndpoint) -> Done[Shown]:
    """Make an endpoint; the secret that signs its messages is shown once."""
    return house().webhooks.endpoints.create(call, body.new_endpoint())


@api.route("GET", "/v1/webhook_endpoints", answers=PageAnswer[WebhookEndpointAnswer])
def list_endpoints(call: Call, query: PageQuery) -> Listing[Endpoint]:
    """Endpoints, disabled ones too."""
    return house().webhooks.endpoints.page(call.tenant, query.limit, query.cursor)


@api.route("GET", "/v1/webhook_endpoints/{id}", answers=WebhookEndpointAnswer)
def read_endpoint(call: Call, path: WebhookEndpointPath) -> Endpoint:
    """One endpoint."""
    return house().webhooks.endpoints.endpoint(call.tenant, path.id)


@api.route("POST", "/v1/webhook_endpoints/{id}/update", answers=WebhookEndpointAnswer)
def update(call: Call, path: WebhookEndpointPath, body: WebhookEndpointChanges) -> Done[Endpoint]:
    """Change URL, filters or description; deliveries under way go to the new URL."""
    return house().webhooks.endpoints.update(call, path.id, body.changes())


@api.route("POST", "/v1/webhook_endpoints/{id}/disable", answers=WebhookEndpointAnswer)
def disable(call: Call, path: WebhookEndpointPath) -> Done[Endpoint]:
    """Tell an endpoint nothing any more; this is also how one is taken away."""
    return house().webhooks.endpoints.disable(call, path.id)


@api.route("POST", "/v1/webhook_endpoints/{id}/enable", answers=WebhookEndpointAnswer)
def enable(call: Call, path: WebhookEndpointPath) -> Done[Endpoint]:
    """Tell an endpoint again, from now on."""
    return house().webhooks.endpoints.enable(call, path.id)


@api.route("POST", "/v1/webhook_endpoints/{id}/rotate_secret", answers=WebhookEndpointSecret)
def rotate_secret(call: Call, path: WebhookEndpointPath) -> Done[Shown]:
    """Give an endpoint a new secret, shown once; messages carry the old one's signature too for 24 hours."""
    return house().webhooks.endpoints.rotate(call, path.id)


@api.route("GET", "/v1/webhook_endpoints/{id}/deliveries", answers=PageAnswer[WebhookDeliveryAnswer])
def list_deliveries(call: Call, path: WebhookEndpointPath, query: WebhookDeliveryQuery) -> Listing[Delivery]:
    """An endpoint's deliveries, newest first."""
    log = house().webhooks.log
    return log.page(call.tenant, path.id, query.state, limit=query.limit, cursor=query.cursor)


@api.route("GET", "/v1/webhook_endpoints/{id}/deliveries/{delivery}", answers=LoggedWebhookDelivery)
def read_delivery(call: Call, path: WebhookDeliveryPath) -> Logged:
    """One delivery with its attempts."""
    return house().webhooks.log.delivery(call.tenant, path.id, path.delivery)


@api.route("POST", "/v1/webhook_endpoints/{id}/deliveries/{delivery}/resend", answers=WebhookDeliveryAnswer)
def resend(call: Call, path: WebhookDeliveryPath) -> Done[Delivery]:
    """Send a delivery again now, whatever became of it."""
    return house().webhooks.resending.one(call, path.id, path.delivery)


@api.route("POST", "/v1/webhook_endpoints/{id}/resends", status=201, answers=WebhookResendAnswer)
def resend_range(call: Call, path: WebhookEndpointPath, body: NewWebhookResend) -> Done[Resend]:
    """Begin to send a range of deliveries again."""
    return house().webhooks.resending.begin(call, body.range_of(path.id))


@api.route("GET", "/v1/webhook_endpoints/{id}/resends/{resend}", answers=WebhookResendAnswer)
def read_resend(call: Call, path: WebhookResendPath) -> Resend:
    """How far a range has come."""
    return house().webhooks.resending.resend(call.tenant, path.id, path.resend)


@functions_framework.http
def webhook_endpoints(request: Request) -> Response:
    """The door."""
    return api.serve(request)
