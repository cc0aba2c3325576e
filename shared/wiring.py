"""The composition root: each room of the house is furnished when it is first entered.

A function pays only for the rooms it uses, so every import stands inside its property; bundles
are cut along the same lines. Nothing below this file knows which adapter it was given.
"""

# ruff: noqa: PLC0415 - a room imports what it is made of when it is first entered

from functools import cache, cached_property
from typing import TYPE_CHECKING

from shared.clock import Clock, SettableClock, SystemClock
from shared.identity import Ids, SystemIds, TenantId
from shared.settings import Settings, read_settings

if TYPE_CHECKING:
    from shared.customers.use_cases import Customers
    from shared.desk import Desk
    from shared.invoicing.use_cases import Invoicing
    from shared.ledger.use_cases.accounts import Chart
    from shared.ledger.use_cases.control import Controls
    from shared.ledger.use_cases.posting import Books
    from shared.ledger.use_cases.proofs import Proofs
    from shared.ledger.use_cases.reports import Reports
    from shared.outbox import Outbox
    from shared.payments.use_cases import Inbox, Payments
    from shared.payroll.use_cases.employees import Employees
    from shared.payroll.use_cases.runs import PayrollRuns
    from shared.ports import Bus, Keys, Queue, Secrets, Store
    from shared.privacy.disclosures import Disclosures
    from shared.privacy.vault import Vault
    from shared.tax.use_cases import Taxes
    from shared.tenants.use_cases.credentials import Credentials
    from shared.tenants.use_cases.keys import ApiKeys
    from shared.tenants.use_cases.tenants import Tenants


class House:
    """Everything that the doors use, each made once, for one set of settings."""

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

    # --- the ledger

    @cached_property
    def books(self) -> "Books":
        """Posting."""
        from shared.ledger.use_cases.posting import Books

        return Books(self.desk)

    @cached_property
    def chart(self) -> "Chart":
        """Accounts and periods."""
        from shared.ledger.use_cases.accounts import Chart

        return Chart(self.desk)

    @cached_property
    def controls(self) -> "Controls":
        """Closing and freezing."""
        from shared.ledger.use_cases.control import Controls

        return Controls(self.desk)

    @cached_property
    def reports(self) -> "Reports":
        """What the books say."""
        from shared.ledger.use_cases.reports import Reports

        return Reports(self.desk)

    @cached_property
    def proofs(self) -> "Proofs":
        """That the books agree with their journal."""
        from shared.ledger.use_cases.proofs import Proofs

        return Proofs(self.desk, self.reports, self.queue)

    # --- customers, invoicing and tax

    @cached_property
    def customers(self) -> "Customers":
        """Who is invoiced."""
        from shared.customers.use_cases import Customers

        return Customers(self.desk, self.vault, self.disclosures)

    @cached_property
    def taxes(self) -> "Taxes":
        """What tax a supply carries."""
        from shared.tax.use_cases import Taxes

        return Taxes()

    @cached_property
    def invoicing(self) -> "Invoicing":
        """Drafting and issuing."""
        from shared.invoicing.use_cases import Invoicing
        from shared.tax.model import Seller

        def seller(tenant: TenantId) -> Seller:
            profile = self.tenants.profile(tenant)
            return Seller(profile.country, profile.registrations)

        return Invoicing(self.desk, self.books, self.taxes, seller)

    # --- payments

    @cached_property
    def inbox(self) -> "Inbox":
        """Partners' events, taken in."""
        from shared.payments.use_cases import Inbox

        return Inbox(self.desk, self.secrets, self.vault)

    @cached_property
    def payments(self) -> "Payments":
        """Partners' events, applied."""
        from shared.payments.use_cases import Payments

        return Payments(self.desk, self.books)

    # --- payroll

    @cached_property
    def employees(self) -> "Employees":
        """Who is paid."""
        from shared.payroll.use_cases.employees import Employees

        return Employees(self.desk, self.vault, self.disclosures)

    @cached_property
    def payroll_runs(self) -> "PayrollRuns":
        """Paying them."""
        from shared.payroll.use_cases.runs import PayrollRuns

        return PayrollRuns(self.desk, self.books, self.employees)


@cache
def house() -> House:
    """The house of this process, for the settings in its environment."""
    return House(read_settings())
