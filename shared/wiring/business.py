"""The rooms of what a company does: customers, invoices, taxes, payments, payroll, webhooks."""

# ruff: noqa: PLC0415 - a room imports what it is made of when it is first entered

from functools import cached_property
from typing import TYPE_CHECKING

from shared.identity import TenantId
from shared.wiring.ledger import LedgerRooms

if TYPE_CHECKING:
    from shared.customers.use_cases import Customers
    from shared.invoicing.use_cases import Invoicing
    from shared.payments.partners.api import PartnerApi
    from shared.payments.payouts.use_cases import Payouts
    from shared.payments.use_cases.allocations import Allocations
    from shared.payments.use_cases.asking import Asking
    from shared.payments.use_cases.inbox import Inbox
    from shared.payments.use_cases.matching import Matching
    from shared.payments.use_cases.money_out import MoneyOut
    from shared.payments.use_cases.payments import Payments
    from shared.payments.use_cases.refunds import Refunds
    from shared.payments.use_cases.virtual_accounts import VirtualAccounts
    from shared.payments.use_cases.write_offs import WriteOffLimits
    from shared.payroll.use_cases.employees import Employees
    from shared.payroll.use_cases.runs import PayrollRuns
    from shared.tax.use_cases import Taxes
    from shared.webhooks.use_cases.rooms import Webhooks


class BusinessRooms(LedgerRooms):
    """What posts to the ledger, and tells of it."""

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

    @cached_property
    def payouts(self) -> "Payouts":
        """What payouts are made of."""
        from shared.payments.payouts.use_cases import Payouts

        return Payouts(self.desk, self.books, lambda: self.partner_api)

    @cached_property
    def asking(self) -> "Asking":
        """Partners' events, completed with what their partners answer."""
        from shared.payments.use_cases.asking import Asking

        return Asking(self.desk, self.partner_api)

    @cached_property
    def partner_api(self) -> "PartnerApi":
        """Partners' own APIs, asked over the internet."""
        from shared.internet.partner_apis import HttpPartnerApi
        from shared.webhooks.rules.urls import Reach

        to_loopback = self.settings.webhooks_to_loopback
        return HttpPartnerApi(self.secrets, Reach.LOOPBACK_TOO if to_loopback else Reach.INTERNET)

    @cached_property
    def refunds(self) -> "Refunds":
        """Refunds, asked for and approved."""
        from shared.payments.use_cases.refunds import Refunds

        return Refunds(self.desk, self.books)

    @cached_property
    def money_out(self) -> "MoneyOut":
        """Refunds on their way; partners are entered only when one is to be asked."""
        from shared.payments.use_cases.money_out import MoneyOut

        return MoneyOut(self.desk, self.books, lambda: self.partner_api)

    @cached_property
    def allocations(self) -> "Allocations":
        """Payments, allocated to invoices."""
        from shared.payments.exchange_rates import published_rates
        from shared.payments.rules.exchanging import Exchange
        from shared.payments.use_cases.allocations import Allocations

        def exchange(tenant: TenantId) -> Exchange:
            return Exchange(published_rates(), self.tenants.profile(tenant).currency)

        return Allocations(self.desk, self.books, exchange)

    @cached_property
    def matching(self) -> "Matching":
        """Payments, matched by a query."""
        from shared.payments.use_cases.matching import Matching

        return Matching(self.desk, self.allocations)

    @cached_property
    def virtual_accounts(self) -> "VirtualAccounts":
        """Whose the account is that money came to; vault and keys are entered only when a number is looked up."""
        from shared.payments.use_cases.virtual_accounts import VirtualAccounts

        return VirtualAccounts(self.desk, lambda: self.vault)

    @cached_property
    def write_off_limits(self) -> "WriteOffLimits":
        """How much of an invoice may be written off."""
        from shared.payments.use_cases.write_offs import WriteOffLimits

        return WriteOffLimits(self.desk)

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
