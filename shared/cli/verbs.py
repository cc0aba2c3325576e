"""`tenant` and `keys`: the platform team's verbs, against any Daybook API.

Where the API is and which key opens it comes from the options, or from the `Place` that the
surrounding command put into the context (the local cloud).
"""

import json
import sys
from typing import Annotated, Any, Protocol

import typer

from shared.cli.client import ApiRefused, Client
from shared.identity import SystemIds, TenantId, tenant_id

PLATFORM = "platform"


class Place(Protocol):
    """A known Daybook with the keys that were given out so far."""

    def url(self) -> str:
        """Base address of the API."""
        ...

    def key(self, owner: str) -> str | None:
        """The key of a tenant's owner, or of `platform`."""
        ...

    def created(self, tenant: TenantId, owner_key: str | None) -> None:
        """A tenant exists now, with this key unless it was told before."""
        ...


class Elsewhere:
    """No known place: everything comes from the options."""

    def url(self) -> str:
        """Not known."""
        message = "say where the API is with --url"
        raise ApiRefused(message)

    def key(self, owner: str) -> str | None:  # noqa: ARG002 - the protocol's parameter
        """None is known."""
        return None

    def created(self, tenant: TenantId, owner_key: str | None) -> None:
        """Nothing to remember."""


Url = Annotated[str, typer.Option("--url", envvar="DAYBOOK_API_URL", help="Base address of the API.")]
Key = Annotated[str, typer.Option("--key", envvar="DAYBOOK_API_KEY", help="API key to speak with.")]

tenant = typer.Typer(no_args_is_help=True, help="Tenants of the platform.")
keys = typer.Typer(no_args_is_help=True, help="API keys of a tenant.")


@tenant.command("create")
def create_tenant(  # noqa: PLR0913 - a command line: every parameter is an option
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Tenant id: a lower-case letter, then letters or digits.")],
    *,
    legal_name: Annotated[str, typer.Option(help="Name on invoices; the tenant id when left out.")] = "",
    country: Annotated[str, typer.Option(help="ISO 3166 code.")] = "GB",
    currency: Annotated[str, typer.Option(help="Currency of the books, ISO 4217.")] = "GBP",
    vat_id: Annotated[str, typer.Option(help="The tenant's own VAT id.")] = "",
    registration: Annotated[
        list[str] | None, typer.Option(help="A further tax registration, as COUNTRY:VAT_ID.")
    ] = None,
    owner: Annotated[str, typer.Option(help="Principal that owns the tenant.")] = "user:owner",
    url: Url = "",
    key: Key = "",
) -> None:
    """Create a tenant; its owner's key is shown once."""
    place = place_of(context)
    body: dict[str, Any] = {
        "tenant": tenant_id(name),
        "legal_name": legal_name or name,
        "country": country,
        "currency": currency,
        "tax_registrations": [_registration(text) for text in registration or []],
        "owner": owner,
    }
    body |= {"vat_id": vat_id} if vat_id else {}
    answer = client_of(place, url, key or _known(place, PLATFORM)).post("/v1/tenants", body)
    place.created(tenant_id(name), answer.get("owner_key"))
    _show(answer)


@keys.command("create")
def create_key(  # noqa: PLR0913 - as above
    context: typer.Context,
    principal: Annotated[str, typer.Argument(help="Who will use it, e.g. user:bob or client:shop.")],
    *,
    role: Annotated[str, typer.Option(help="owner, accountant, payroll_preparer, payroll_approver or auditor.")],
    tenant: Annotated[str, typer.Option(help="The tenant, when it is not the one of --key.")] = "",
    url: Url = "",
    key: Key = "",
) -> None:
    """Create an API key for a principal; it is shown once."""
    place = place_of(context)
    key, reached = _reach(place, key, tenant)
    _show(client_of(place, url, key).post("/v1/api_keys", {"principal": principal, "role": role, **reached}))


@keys.command("revoke")
def revoke_key(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(help="The key's id, as `keys create` showed it.")],
    *,
    tenant: Annotated[str, typer.Option(help="The tenant, when it is not the one of --key.")] = "",
    url: Url = "",
    key: Key = "",
) -> None:
    """Revoke an API key for good."""
    place = place_of(context)
    key, reached = _reach(place, key, tenant)
    _show(client_of(place, url, key).post(f"/v1/api_keys/{key_id}/revoke", reached))


def place_of(context: typer.Context) -> Place:
    """Where the surrounding command says that Daybook is."""
    place: Place = context.obj or Elsewhere()
    return place


def client_of(place: Place, url: str, key: str) -> Client:
    """A client of the API at `url`, or at the place's own address."""
    return Client(url or place.url(), key, SystemIds())


def _known(place: Place, owner: str) -> str:
    if key := place.key(owner):
        return key
    message = f"no key of {owner} is known here: give one with --key"
    raise ApiRefused(message)


def _reach(place: Place, key: str, tenant: str) -> tuple[str, dict[str, str]]:
    """The key to speak with and what the body says: the platform's key must name the tenant, a tenant's need not."""
    if not key and tenant and (own := place.key(tenant)):
        return own, {}
    return key or _known(place, PLATFORM), {"tenant": tenant} if tenant else {}


def _registration(text: str) -> dict[str, str]:
    country, colon, vat_id = text.partition(":")
    if not colon:
        message = f"a registration is COUNTRY:VAT_ID, not {text}"
        raise typer.BadParameter(message)
    return {"country": country, "vat_id": vat_id}


def _show(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
