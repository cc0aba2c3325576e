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
    from shared.keys import Keys, Secrets, Signer
    from shared.ledger.use_cases.accounts import Chart
    from shared.ledger.use_cases.balances import Balances
    from shared.ledger.use_cases.batches import Batches
    from shared.ledger.use_cases.carry import CarryForward
    from shared.ledger.use_cases.control import Controls
    from shared.ledger.use_cases.dry_run import DryRuns
    from shared.ledger.use_cases.export import Journals
    from shared.ledger.use_cases.hold_expiry import HoldExpiry
    from shared.ledger.use_cases.holds import Holds
    from shared.ledger.use_cases.memos import Memos
    from shared.ledger.use_cases.monitors import Monitors
    from shared.ledger.use_cases.opening import OpeningBalances
    from shared.ledger.use_cases.posting import Books
    from shared.ledger.use_cases.proofs import Proofs
    from shared.ledger.use_cases.repairs import Repairs
    from shared.ledger.use_cases.reports import Reports
    from shared.ledger.use_cases.reversals import Reversals
    from shared.ledger.use_cases.seals import Seals
    from shared.ledger.use_cases.statements import Statements
    from shared.ledger.use_cases.year_end import YearEnds
    from shared.outbox import Outbox
    from shared.payments.use_cases.inbox import Inbox
    from shared.payments.use_cases.payments import Payments
    from shared.payroll.use_cases.employees import Employees
    from shared.payroll.use_cases.runs import PayrollRuns
    from shared.ports import Bus, Queue, Store
    from shared.privacy.disclosures import Disclosures
    from shared.privacy.vault import Vault
    from shared.tax.use_cases import Taxes
    from shared.tenants.use_cases.credentials import Credentials
    from shared.tenants.use_cases.keys import ApiKeys
    from shared.tenants.use_cases.tenants import Tenants
    from shared.webhooks.use_cases.rooms import Webhooks


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

    # --- the ledger

    @cached_property
    def books(self) -> "Books":
        """Posting."""
        from shared.ledger.use_cases.posting import Books

        return Books(self.desk)

    @cached_property
    def memos(self) -> "Memos":
        """Posting with a memo; vault and keys are entered only when there is one."""
        from shared.ledger.use_cases.memos import Memos

        return Memos(self.desk, self.books, lambda: self.vault, lambda: self.disclosures)

    @cached_property
    def reversals(self) -> "Reversals":
        """Undoing what was posted."""
        from shared.ledger.use_cases.reversals import Reversals

        return Reversals(self.desk, self.books)

    @cached_property
    def holds(self) -> "Holds":
        """Money set aside."""
        from shared.ledger.use_cases.holds import Holds

        return Holds(self.desk, self.books)

    @cached_property
    def hold_expiry(self) -> "HoldExpiry":
        """Money set aside for too long."""
        from shared.ledger.use_cases.hold_expiry import HoldExpiry

        return HoldExpiry(self.desk, self.holds)

    @cached_property
    def batches(self) -> "Batches":
        """Posting many at once."""
        from shared.ledger.use_cases.batches import Batches

        return Batches(self.desk, self.books.together, self.books.memory)

    @cached_property
    def dry_runs(self) -> "DryRuns":
        """What a posting would come to."""
        from shared.ledger.use_cases.dry_run import DryRuns

        return DryRuns(self.desk)

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
    def balances(self) -> "Balances":
        """What stands on an account on a day."""
        from shared.ledger.use_cases.balances import Balances

        return Balances(self.desk)

    @cached_property
    def statements(self) -> "Statements":
        """Accounts' lines in order; cursors are signed by the keys that requests are hashed with."""
        from shared.http.requests import REQUEST_HASH
        from shared.ledger.use_cases.statements import Statements

        return Statements(self.desk, lambda: self.secrets.versions(REQUEST_HASH))

    @cached_property
    def carry_forward(self) -> "CarryForward":
        """Balances of closed months, added up once."""
        from shared.ledger.use_cases.carry import CarryForward

        return CarryForward(self.desk)

    @cached_property
    def year_ends(self) -> "YearEnds":
        """Income moved to equity."""
        from shared.ledger.use_cases.year_end import YearEnds

        return YearEnds(self.desk, self.books, self.controls)

    @cached_property
    def opening_balances(self) -> "OpeningBalances":
        """What a tenant brings along."""
        from shared.ledger.use_cases.opening import OpeningBalances

        return OpeningBalances(self.desk, self.books, self.chart)

    @cached_property
    def reports(self) -> "Reports":
        """What the books say."""
        from shared.ledger.use_cases.reports import Reports

        return Reports(self.desk)

    @cached_property
    def proofs(self) -> "Proofs":
        """That the books agree with their journal."""
        from shared.ledger.use_cases.proofs import Proofs

        return Proofs(self.desk, self.queue)

    @cached_property
    def monitors(self) -> "Monitors":
        """Balances that somebody wants to hear of."""
        from shared.ledger.use_cases.monitors import Monitors

        return Monitors(self.desk, self.queue)

    @cached_property
    def repairs(self) -> "Repairs":
        """Setting right what a proof found wrong."""
        from shared.ledger.use_cases.repairs import Repairs

        return Repairs(self.desk)

    @cached_property
    def seals(self) -> "Seals":
        """The journal under lock and key."""
        from shared.ledger.use_cases.seals import Seals

        return Seals(self.desk, self.signer, self.queue)

    @cached_property
    def journals(self) -> "Journals":
        """The journal, to be taken away."""
        from shared.ledger.use_cases.export import Journals

        return Journals(self.desk, self.seals)

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
        from shared.payments.use_cases.inbox import Inbox

        return Inbox(self.desk, self.secrets, self.vault)

    @cached_property
    def payments(self) -> "Payments":
        """Partners' events, applied."""
        from shared.payments.use_cases.payments import Payments

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

    @cached_property
    def webhooks(self) -> "Webhooks":
        """What happened, told to tenants' own systems."""
        from shared.internet.deliverer import InternetDeliverer
        from shared.webhooks.use_cases.rooms import Webhooks

        loopback = self.settings.webhooks_to_loopback
        return Webhooks(self.desk, lambda: self.vault, self.ids, InternetDeliverer, to_loopback=loopback)


@cache
def house() -> House:
    """The house of this process, for the settings in its environment."""
    return House(read_settings())
