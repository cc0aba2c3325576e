"""The local cloud of a state folder, as the verbs of the command see it."""

from dataclasses import dataclass

import typer

from emulators.addresses import LOOPBACK
from emulators.partner_apis.driver import PARTNERS as ASKABLE
from emulators.partner_apis.driver import PartnersDriver
from emulators.partners import PARTNERS
from emulators.partners.keys import signing_secret
from emulators.processes import CloudFault
from emulators.secret_files import make_partner_key
from emulators.state import Home, NotUp, State
from shared.cli.client import Client
from shared.clock import SettableClock
from shared.identity import SystemIds, TenantId
from shared.settings import Settings, read_settings


@dataclass(frozen=True, slots=True)
class Here:
    """The local cloud of a state folder, as the API's verbs see it."""

    home: Home

    def state(self) -> State:
        """What runs here.

        Raises:
            NotUp: nothing does.
        """
        if state := self.home.running():
            return state
        message = f"no local cloud is up in {self.home.path}: start one with `daybook up`"
        raise NotUp(message)

    def settings(self) -> Settings:
        """Settings of a process of this cloud."""
        return read_settings(self.state().environment)

    def url(self) -> str:
        """Where the doors are."""
        return self.state().environment["DAYBOOK_DOORS_URL"]

    def key(self, owner: str) -> str | None:
        """A key given out by the cloud that runs here."""
        self.state()
        return self.home.keys().get(owner)

    def created(self, tenant: TenantId, owner_key: str | None) -> None:
        """Keep the owner's key, and let every partner sign for the tenant."""
        if owner_key:
            self.home.remember_key(tenant, owner_key)
        for partner in PARTNERS:
            signing_secret(self.home.secrets, tenant, partner, SystemIds())
        for partner in ASKABLE:
            make_partner_key(self.home.secrets, tenant, partner, self.partners().secret(partner))

    def partners(self) -> PartnersDriver:
        """Partners' own APIs, to be fed and broken."""
        return PartnersDriver(f"http://{LOOPBACK}:{self.state().ports['partners']}")

    def clock(self) -> SettableClock:
        """The clock of the cloud that runs here."""
        self.state()
        return SettableClock(self.home.clock)

    def tenant(self, named: str, platform: str) -> str:
        """The tenant that is named, or the only one that this cloud knows a key of.

        Raises:
            CloudFault: it knows none, or several.
        """
        self.state()
        if named:
            return named
        known = sorted(set(self.home.keys()) - {platform})
        if len(known) == 1:
            return known[0]
        choose = f"say whose with --tenant: {', '.join(known)}"
        message = choose if known else "there is no tenant yet: `daybook tenant create acme` makes one"
        raise CloudFault(message)

    def client(self, tenant: str) -> Client:
        """The API, spoken to with the key of a tenant's owner.

        Raises:
            CloudFault: that key is not known here.
        """
        key = self.key(tenant)
        if key is None:
            message = f"no key of {tenant} is known here: was it made by `daybook tenant create`?"
            raise CloudFault(message)
        return Client(self.url(), key, SystemIds())


def here_of(context: typer.Context) -> Here:
    """The local cloud that a command was given."""
    here: Here = context.obj
    return here
