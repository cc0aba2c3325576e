"""The rooms of webhooks: each is furnished when it is first entered, so that who only fans out opens no vault."""

from collections.abc import Callable
from functools import cached_property

from shared.desk import Desk
from shared.identity import Ids
from shared.privacy import Vault
from shared.webhooks.model import Deliverer
from shared.webhooks.rules.urls import Reach
from shared.webhooks.use_cases.endpoints import Endpoints
from shared.webhooks.use_cases.fan_out import FanOut
from shared.webhooks.use_cases.log import DeliveryLog
from shared.webhooks.use_cases.resending import Resending
from shared.webhooks.use_cases.sending import Sending


class Webhooks:
    """Everything that is done with webhooks, over one desk."""

    def __init__(
        self,
        desk: Desk,
        vault: Callable[[], Vault],
        ids: Ids,
        deliverer: Callable[[Reach], Deliverer],
        *,
        to_loopback: bool,
    ) -> None:
        """Write through `desk`; `vault` and `deliverer` are asked for when a secret is sealed or a message sent."""
        self._desk, self._vault, self._ids, self._deliverer = desk, vault, ids, deliverer
        self.reach = Reach.LOOPBACK_TOO if to_loopback else Reach.INTERNET

    @cached_property
    def endpoints(self) -> Endpoints:
        """Who wants to be told what."""
        return Endpoints(self._desk, self._vault(), self._ids, self.reach)

    @cached_property
    def fan_out(self) -> FanOut:
        """Announcements, told to endpoints."""
        return FanOut(self._desk)

    @cached_property
    def sending(self) -> Sending:
        """Attempts to deliver."""
        return Sending(self._desk, self._vault(), self._deliverer(self.reach))

    @cached_property
    def log(self) -> DeliveryLog:
        """What was told to endpoints."""
        return DeliveryLog(self._desk.store)

    @cached_property
    def resending(self) -> Resending:
        """Deliveries sent again."""
        return Resending(self._desk)
