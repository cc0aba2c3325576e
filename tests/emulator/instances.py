"""One instance of the back office over its own line to the emulator; line, queue and bus can die under it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import grpc

from shared.calls import Call
from shared.customers.model import Customer, CustomerKind, NewCustomer, PersonalField
from shared.customers.use_cases import Customers
from shared.desk import Desk
from shared.events import Announcement, Command
from shared.faults import Fault, Retryable
from shared.gcp.firestore import FirestoreStore
from shared.gcp.patience import Patience
from shared.gcp.rpc import Method, RpcFailed
from shared.identity import TenantId
from shared.invoicing.model import DraftInvoice, Invoice
from shared.invoicing.use_cases import Invoicing
from shared.keys import SecretMissing
from shared.ledger.chart import opening_chart
from shared.ledger.use_cases.control import Controls
from shared.ledger.use_cases.posting import Books
from shared.ledger.use_cases.proofs import Proofs
from shared.ledger.use_cases.reports import Reports
from shared.outbox import Outbox
from shared.payments.partners.api import Accepted, Named, PayoutItems, RefundOrder, Truth
from shared.payments.refusals import PartnerRefused
from shared.payments.rules.exchanging import Exchange
from shared.payments.use_cases.allocations import Allocations
from shared.payments.use_cases.asking import Asking
from shared.payments.use_cases.inbox import Inbox
from shared.payments.use_cases.matching import Matching
from shared.payments.use_cases.payments import Payments
from shared.payments.use_cases.virtual_accounts import VirtualAccounts
from shared.payments.use_cases.write_offs import WriteOffLimits
from shared.payroll.use_cases.employees import Employees
from shared.payroll.use_cases.runs import PayrollRuns
from shared.ports import Decision, View
from shared.privacy.disclosures import Disclosures
from shared.privacy.vault import Vault
from shared.settings import Settings
from shared.tax.model import Seller
from shared.tax.use_cases import Taxes
from tests.builders import ACME, a_call
from tests.emulator.lines import Line
from tests.emulator.offices import SteppedClock
from tests.local_keys import LocalKeys
from tests.unit.invoicing.drafts import a_draft
from tests.unit.payments.partner_events import ADDRESS, PARTNERS, secret_of
from tests.unit.payments.some_rates import SOME_RATES
from tests.unit.payments.stripe_events import OLD_SECRET, SECRET

More: TypeAlias = "Callable[..., Instance]"
"""What makes further instances over the same databases."""

SELLER: Final = Seller("GB", {"GB": "GB980780684", "EE": "EE100931558"})


class Killed(BaseException):
    """The instance dies here; no handler of ours runs for it."""


@dataclass
class Fate:
    """Counts the moments between two calls to the world and kills at one of them."""

    left: int | None = None

    def moment(self) -> None:
        """Live on, or die if this was the last moment."""
        if self.left is None:
            return
        if self.left == 0:
            raise Killed
        self.left -= 1


class MortalLine(Line):
    """A line whose instance may die before and after each call, and that may be dead for what is about one thing."""

    silent_about = ""

    def __init__(self, settings: Settings, fate: Fate) -> None:
        super().__init__(settings)
        self.patience = Patience()
        self._fate = fate

    def send(self, method: Method, request: Any, timeout_seconds: float) -> Any:
        """Send, unless it is too late."""
        self._fate.moment()
        if self.silent_about and self.silent_about in str(request):
            raise RpcFailed(method, grpc.StatusCode.UNAVAILABLE, "silent")
        answer = super().send(method, request, timeout_seconds)
        self._fate.moment()
        return answer


@dataclass
class Post:
    """A queue and a bus that keep what they are given, each message once; they can be down, and the sender can die."""

    fate: Fate
    down: bool = False
    tasks: dict[str, Command] = field(default_factory=dict)
    told: dict[str, Announcement] = field(default_factory=dict)
    handed_over: list[str] = field(default_factory=list)

    def enqueue(self, command: Command) -> None:
        """Keep a command."""
        self._keep(command, self.tasks)

    def publish(self, announcement: Announcement) -> None:
        """Keep an announcement."""
        self._keep(announcement, self.told)

    def take(self, door: str) -> list[Command]:
        """The commands for a door, in the order they came; they stay known."""
        return [command for command in self.tasks.values() if command.door == door]

    def _keep(self, message: Any, kept: dict[str, Any]) -> None:
        self.fate.moment()
        if self.down:
            fault = "the queue does not answer"
            raise Retryable(fault)
        self.handed_over.append(message.id)
        kept.setdefault(message.id, message)
        self.fate.moment()


SQUARE: Final = json.dumps({"secret": secret_of("square").value.decode(), "url": ADDRESS}).encode()
"""Square signs its endpoint's address with the body."""


@dataclass
class LiveSecrets:
    """Partners' signing secrets, newest first."""

    live: Mapping[str, tuple[bytes, ...]] = field(
        default_factory=lambda: {
            **{f"webhook-acme-{partner}": (secret_of(partner).value,) for partner in PARTNERS},
            "webhook-acme-square": (SQUARE,),
            "webhook-acme-stripe": (SECRET, OLD_SECRET, secret_of("stripe").value),
            "webhook-rival-stripe": (SECRET,),
        }
    )

    def versions(self, name: str) -> tuple[bytes, ...]:
        """All live values."""
        try:
            return self.live[name]
        except KeyError:
            message = "no such secret"
            raise SecretMissing(message) from None


@dataclass
class AskedPartner:
    """A partner's own API: it answers what it is told to about a thing, keeps what it was asked, and may be asked late.

    What it answers is a truth, or a fault that it raises.
    """

    fate: Fate
    truths: dict[str, Truth | Fault] = field(default_factory=dict)
    questions: list[Named] = field(default_factory=list)
    then: Callable[[], object] = lambda: None
    """What happens while the next answer is on its way."""

    def truth(self, named: Named) -> Truth:
        """Answer."""
        self.fate.moment()
        self.questions.append(named)
        then, self.then = self.then, lambda: None
        then()
        self.fate.moment()
        answer = self.truths.get(named.reference) or PartnerRefused("no such thing", detail={"code": "not_found"})
        if isinstance(answer, Fault):
            raise answer
        return answer

    def payout_items(self, payout: Named, cursor: str) -> PayoutItems:
        """Nobody asks for them here."""
        raise AssertionError(payout, cursor)

    def refund(self, order: RefundOrder) -> Accepted:
        """Nobody asks for one here."""
        raise AssertionError(order)


@dataclass
class Instance:
    """The rooms of one process, with nothing remembered at first."""

    line: MortalLine
    store: FirestoreStore
    keysets: FirestoreStore
    post: Post
    clock: SteppedClock
    outbox: Outbox
    desk: Desk
    vault: Vault
    books: Books
    controls: Controls
    reports: Reports
    proofs: Proofs
    customers: Customers
    invoicing: Invoicing
    inbox: Inbox
    payments: Payments
    allocations: Allocations
    matching: Matching
    virtual_accounts: VirtualAccounts
    write_off_limits: WriteOffLimits
    employees: Employees
    runs: PayrollRuns
    secrets: LiveSecrets
    partner: AskedPartner
    asking: Asking
    proofs_made: int = 0

    def open_books(self, tenant: TenantId = ACME) -> None:
        """Give a tenant its keys and its chart."""
        self.vault.ensure_tenant(tenant)
        chart = Decision(None, opening_chart(tenant))

        def open_chart(_: View) -> Decision[None]:
            return chart

        self.store.transact((), open_chart)

    def a_customer(self, key: str = "customer", tenant: TenantId = ACME, **changes: Any) -> str:
        """The id of a British business."""
        customer = replace(Customer("", f"C-{key}", "GB", CustomerKind.BUSINESS, "GBP"), **changes)
        new = NewCustomer(customer, {PersonalField.NAME: "Ada Lovelace Ltd"})
        return self.customers.add(a_call(key, tenant=tenant, once=True), new).answer.id

    def a_draft(self, key: str, customer: str, draft: DraftInvoice | None = None) -> str:
        """The id of a draft of 100.00 pounds and VAT."""
        wanted = replace(draft or a_draft(), id="", customer_id=customer)
        return self.invoicing.draft(a_call(f"draft-{key}", once=True), wanted).answer.id

    def an_invoice(self, key: str = "invoice", customer: str = "") -> Invoice:
        """An issued invoice of 120.00 pounds."""
        draft = self.a_draft(key, customer or self.a_customer(f"customer-{key}"))
        return self.issued(a_call(f"issue-{key}", once=True), draft)

    def issued(self, call: Call, draft: str) -> Invoice:
        """Issue a draft, again as long as it is to be retried."""
        invoice = self.again(lambda: self.invoicing.issue(call, draft)).answer
        assert isinstance(invoice, Invoice)
        return invoice

    @staticmethod
    def again(ask: Callable[[], Any]) -> Any:
        """Ask as a queue does: again while it is to be retried, a bounded number of times."""
        for _ in range(50):
            try:
                return ask()
            except Retryable:
                continue
        message = "retried fifty times"
        raise AssertionError(message)

    def balance(self, account: str, through: str = "2026-11") -> int:
        """What stands on an account in pounds, on its normal side."""
        rows = self.reports.trial_balance(ACME, through).rows
        return sum(row.amount for row in rows if row.account == account and row.currency == "GBP")

    def proven(self) -> bool:
        """Whether the totals are the fold of the journal and everything balances, now."""
        self.proofs_made += 1
        return self.proofs.prove(a_call(f"proof-{self.proofs_made}")).answer.holds


def an_instance(settings: Settings, keys: LocalKeys, fate: Fate | None = None, post: Post | None = None) -> Instance:
    """Another process over the same databases and the same keys."""
    fate = fate or Fate()
    line, post, clock = MortalLine(settings, fate), post or Post(fate), SteppedClock()
    store = FirestoreStore(settings, settings.database, rpc=line)
    keysets = FirestoreStore(settings, settings.keysets_database)
    outbox = Outbox(store, post, post, clock)
    desk = Desk(store, outbox)
    vault = Vault(keysets, keys, clock)
    books, reports, disclosures = Books(desk), Reports(desk), Disclosures(desk, vault)
    allocations = Allocations(desk, books, lambda _: Exchange(SOME_RATES, "GBP"))
    employees, secrets, partner = Employees(desk, vault, disclosures), LiveSecrets(), AskedPartner(fate)
    return Instance(
        line,
        store,
        keysets,
        post,
        clock,
        outbox,
        desk,
        vault,
        books,
        Controls(desk),
        reports,
        Proofs(desk, post),
        Customers(desk, vault, disclosures),
        Invoicing(desk, books, Taxes(), lambda _: SELLER),
        Inbox(desk, secrets, vault),
        Payments(desk, books),
        allocations,
        Matching(desk, allocations),
        VirtualAccounts(desk, lambda: vault),
        WriteOffLimits(desk),
        employees,
        PayrollRuns(desk, books, employees),
        secrets,
        partner,
        Asking(desk, partner),
    )
