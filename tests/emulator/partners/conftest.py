"""Emulated partners, and our way to them over real sockets."""

import socket
from collections.abc import Iterator

import pytest

from emulators.partner_apis.driver import PARTNERS, PartnersDriver
from shared.internet.lines import Lines
from shared.internet.partner_apis import HttpPartnerApi
from shared.webhooks.rules.urls import Reach
from tests.emulator.instances import LiveSecrets
from tests.partner_server import partners_serving


@pytest.fixture(scope="package")
def partners() -> Iterator[PartnersDriver]:
    """Partners who know what they are fed."""
    with partners_serving() as driver:
        yield driver


def keys_to(partners: PartnersDriver) -> dict[str, tuple[bytes, ...]]:
    """A tenant's keys to all of them."""
    return {f"partner-api-acme-{partner}": (partners.secret(partner).encode(),) for partner in PARTNERS}


class Impatient(socket.socket):
    """A line that waits for no answer for long."""

    def settimeout(self, value: float | None, /) -> None:
        """Wait less."""
        super().settimeout(min(value or 0.3, 0.3))


def dial_impatiently(address: str, port: int) -> socket.socket:
    """Such a line to a partner."""
    line = Impatient(socket.AF_INET, socket.SOCK_STREAM)
    line.connect((address, port))
    return line


@pytest.fixture
def secrets(partners: PartnersDriver) -> LiveSecrets:
    """The tenant's keys."""
    return LiveSecrets(keys_to(partners))


@pytest.fixture
def api(secrets: LiveSecrets) -> HttpPartnerApi:
    """Our way to the partners."""
    return HttpPartnerApi(secrets, Reach.LOOPBACK_TOO)


@pytest.fixture
def impatient(secrets: LiveSecrets) -> HttpPartnerApi:
    """The same way, given up soon."""
    return HttpPartnerApi(secrets, Reach.LOOPBACK_TOO, Lines(dial=dial_impatiently))
