"""The rooms that every other stands on: time and chance, stores and queues, keys, the desk, privacy and tenants."""

# ruff: noqa: PLC0415 - a room imports what it is made of when it is first entered

from functools import cached_property
from typing import TYPE_CHECKING

from shared.clock import Clock, SettableClock, SystemClock
from shared.identity import Ids, SystemIds, TenantId
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.desk import Desk
    from shared.keys import Keys, Secrets, Signer
    from shared.outbox import Outbox
    from shared.ports import Bus, Queue, Store
    from shared.privacy.disclosures import Disclosures
    from shared.privacy.vault import Vault
    from shared.tenants.use_cases.credentials import Credentials
    from shared.tenants.use_cases.keys import ApiKeys
    from shared.tenants.use_cases.tenants import Tenants


class Foundations:
    """What is made once for one set of settings, and what the rooms above are given."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    # --- the world

    @cached_property
    def clock(self) -> Clock:
        """The house's time: the system's, or the local cloud's settable one."""
        path = self.settings.clock_path
        return SystemClock() if path is None else SettableClock(path)

    @cached_property
    def ids(self) -> Ids:
        """The house's chance."""
        return SystemIds()

    @cached_property
    def store(self) -> "Store":
        """The main database."""
        from shared.gcp.firestore import FirestoreStore

        return FirestoreStore(self.settings, self.settings.database)

    @cached_property
    def keysets_store(self) -> "Store":
        """The second database, which forgets sooner: keysets only."""
        from shared.gcp.firestore import FirestoreStore

        return FirestoreStore(self.settings, self.settings.keysets_database)

    @cached_property
    def queue(self) -> "Queue":
        """Where commands go."""
        from shared.gcp.tasks import TasksQueue

        return TasksQueue(self.settings)

    @cached_property
    def bus(self) -> "Bus":
        """Where announcements go."""
        from shared.gcp.pubsub import PubSubBus

        return PubSubBus(self.settings)

    @cached_property
    def keys(self) -> "Keys":
        """The platform's key."""
        from shared.gcp.kms import KmsKeys

        return KmsKeys(self.settings)

    @cached_property
    def signer(self) -> "Signer":
        """The key that signs seals."""
        from shared.gcp.kms_signing import KmsSigner

        return KmsSigner(self.settings)

    @cached_property
    def secrets(self) -> "Secrets":
        """Named secrets: Secret Manager's, or a folder's."""
        from shared.gcp.secrets import FileSecrets, SecretManagerSecrets

        folder = self.settings.secrets_path
        return SecretManagerSecrets(self.settings, self.clock) if folder is None else FileSecrets(folder, self.clock)

    # --- deciding and sending

    @cached_property
    def outbox(self) -> "Outbox":
        """What leaves after a commit."""
        from shared.outbox import Outbox

        return Outbox(self.store, self.queue, self.bus, self.clock)

    @cached_property
    def desk(self) -> "Desk":
        """Where decisions become commits."""
        from shared.desk import Desk

        return Desk(self.store, self.outbox)

    # --- privacy and tenants

    @cached_property
    def vault(self) -> "Vault":
        """Personal data, sealed and opened."""
        from shared.privacy.vault import Vault

        return Vault(self.keysets_store, self.keys, self.clock, seal=self.settings.seal_personal_data)

    @cached_property
    def disclosures(self) -> "Disclosures":
        """Personal data shown to a person, on the record."""
        from shared.privacy.disclosures import Disclosures

        return Disclosures(self.desk, self.vault)

    @cached_property
    def credentials(self) -> "Credentials":
        """Whose API key this is."""
        from shared.tenants.use_cases.credentials import Credentials

        return Credentials(self.store, self.secrets, self.clock)

    @cached_property
    def tenants(self) -> "Tenants":
        """The directory of tenants."""
        from shared.ledger.chart import opening_chart
        from shared.tenants.use_cases.tenants import Opening, Tenants

        return Tenants(self.desk, Opening(self._ensure_keys, opening_chart), self.clock, self.ids)

    @cached_property
    def api_keys(self) -> "ApiKeys":
        """Tenants' keys, made and revoked."""
        from shared.tenants.use_cases.keys import ApiKeys

        return ApiKeys(self.desk, self.ids)

    def _ensure_keys(self, tenant: TenantId) -> None:
        """Make a tenant's keys; the vault is entered only then, for most doors that look up a tenant have none."""
        self.vault.ensure_tenant(tenant)
