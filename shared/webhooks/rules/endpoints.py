"""The life of an endpoint: disabled and enabled, its secret rotated, and what its enabled ones want."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.limits import WEBHOOK_ENDPOINTS, WEBHOOK_SECRETS
from shared.webhooks.model import DisabledBecause, Endpoint, EndpointState, SigningSecret
from shared.webhooks.records import Routes
from shared.webhooks.refusals import TooManyEndpoints, TooManySecrets

OLD_SECRET_LIVES: Final = timedelta(hours=24)
"""How long messages carry the signature of a secret that was rotated away, too."""


def disabled(endpoint: Endpoint, because: DisabledBecause, at: datetime) -> Endpoint:
    """The endpoint, told nothing any more."""
    return replace(
        endpoint,
        state=EndpointState.DISABLED,
        disabled_because=because,
        disabled_at=at,
        failing_since=None,
        version=endpoint.version + 1,
    )


def enabled(endpoint: Endpoint) -> Endpoint:
    """The endpoint, told again, with its failures forgotten."""
    return replace(
        endpoint,
        state=EndpointState.ENABLED,
        disabled_because=None,
        disabled_at=None,
        failing_since=None,
        slow_since=None,
        version=endpoint.version + 1,
    )


def rotated(endpoint: Endpoint, fresh: SigningSecret, at: datetime) -> Endpoint:
    """The endpoint with a new secret; each live one stays so for at most 24 hours, those that ended are dropped.

    Raises:
        TooManySecrets: too many are live already.
    """
    live = [secret for secret in endpoint.secrets if secret.live(at)]
    if len(live) >= WEBHOOK_SECRETS:
        message = f"{WEBHOOK_SECRETS} secrets are live; the oldest ends within a day"
        raise TooManySecrets(message)
    end = at + OLD_SECRET_LIVES
    old = (replace(secret, ends_at=min(secret.ends_at or end, end)) for secret in live)
    return replace(endpoint, secrets=(fresh, *old), version=endpoint.version + 1)


def routed(routes: Routes, endpoint: Endpoint) -> Routes:
    """Who wants what once an endpoint is as it is now.

    Raises:
        TooManyEndpoints: it would be one enabled endpoint too many.
    """
    others = {name: filters for name, filters in routes.items() if name != endpoint.id}
    if not endpoint.enabled:
        return others
    if len(others) >= WEBHOOK_ENDPOINTS:
        message = f"at most {WEBHOOK_ENDPOINTS} webhook endpoints are enabled at once"
        raise TooManyEndpoints(message)
    return {**others, endpoint.id: endpoint.filters}
