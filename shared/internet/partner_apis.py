"""Partners' own APIs over the internet: the port `PartnerApi`, every partner behind one door.

The address comes from a secret of ours, and is https to a public one all the same; no redirect is followed, nothing is
reused, one question with all its requests has one deadline, and an answer that is longer than any is none. Neither keys
nor what a partner says are logged, or stand in a fault.
"""

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import structlog

from shared.faults import Retryable
from shared.identity import TenantId
from shared.internet.addresses import NotAllowed, Unresolved, address_of
from shared.internet.lines import Hurried, Lines
from shared.keys import SecretMissing, Secrets
from shared.payments.partners.api import Accepted, Named, RefundOrder, Truth
from shared.payments.partners.apis import dialect_of
from shared.payments.partners.apis.speaking import ApiKey, Ask, Reply, Request, read_json
from shared.payments.refusals import NotAskable
from shared.webhooks.refusals import UrlNotAllowed
from shared.webhooks.rules.urls import Reach, Target, read_url

TOTAL_SECONDS: Final = 25.0
"""One question in all, its requests together: with a name to resolve before each, still within a door's 60 seconds."""

ANSWER_BYTES: Final = 1_048_576
"""Longest answer that is read."""

_WORD: Final = re.compile(r"[\x21-\x7e]{1,4096}")
_log = structlog.get_logger(__name__)


class HttpPartnerApi:
    """Partners' APIs as the port `PartnerApi`; the key to one is the secret `partner-api-{tenant}-{partner}`."""

    def __init__(self, secrets: Secrets, reach: Reach, lines: Lines | None = None) -> None:
        """Find keys in `secrets`; go as far as `reach` says, by `lines` where a test brings its own."""
        self._secrets, self._reach, self._lines = secrets, reach, lines or Lines()

    def truth(self, named: Named) -> Truth:
        """How a thing stands; see the port."""
        dialect, key = dialect_of(named.partner), self._key(named)
        return dialect.truth(self._asking(named, key), key, named)

    def refund(self, order: RefundOrder) -> Accepted:
        """Give money back; see the port."""
        dialect, key = dialect_of(order.payment.partner), self._key(order.payment)
        return dialect.refund(self._asking(order.payment, key), key, order)

    def _key(self, named: Named) -> ApiKey:
        """The newest key that can be read, to the account that is named.

        Raises:
            NotAskable: the tenant gave none.
            Retryable: there is one, and nobody can read it.
        """
        values = self._values(named.tenant, named.partner)
        for value in values:
            for key in _read_key(value, named.account, self._reach):
                return key
            _log.error("partner_api_secret_unreadable", tenant=named.tenant, partner=named.partner)
        message = "the key to the partner's API cannot be read"
        raise Retryable(message, detail={"partner": named.partner})

    def _values(self, tenant: TenantId, partner: str) -> tuple[bytes, ...]:
        try:
            return self._secrets.versions(f"partner-api-{tenant}-{partner}")
        except SecretMissing:
            message = "there is no key to this partner's API"
            raise NotAskable(message, field="partner") from None

    def _asking(self, named: Named, key: ApiKey) -> Ask:
        """What sends the requests of one question, until its time is over."""
        ends_at = self._lines.monotonic() + TOTAL_SECONDS
        target = read_url(key.url, self._reach)

        def ask(request: Request) -> Reply:
            try:
                reply = self._send(target, request, ends_at)
            except (OSError, ValueError, http.client.HTTPException, NotAllowed, Unresolved) as error:
                trouble = type(error).__name__
            else:
                _log.info("partner_asked", tenant=named.tenant, partner=named.partner, status=reply.status)
                return reply
            _log.warning("partner_silent", tenant=named.tenant, partner=named.partner, exception=trouble)
            message = "the partner's API did not answer"
            raise Retryable(message, detail={"partner": named.partner})

        return ask

    def _send(self, target: Target, request: Request, ends_at: float) -> Reply:
        address = address_of(target, self._reach, self._lines)
        line = self._lines.dial(address, target.port)
        try:
            if target.secure:
                line.settimeout(max(ends_at - self._lines.monotonic(), 0.001))
                line = self._lines.trust().wrap_socket(line, server_hostname=target.host)
            return _exchange(Hurried(line, ends_at, self._lines.monotonic), target, request)
        finally:
            line.close()


def _exchange(line: Hurried, target: Target, request: Request) -> Reply:
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = cast("Any", line)  # what http.client asks of a socket, it has
    path = f"{target.target.rstrip('/')}{request.path}"
    connection.putrequest(request.method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in {"host": target.authority, **request.headers, "connection": "close"}.items():
        connection.putheader(name, value)
    if request.method == "POST":
        connection.putheader("content-length", str(len(request.body)))
    connection.endheaders(request.body or None)
    response = connection.getresponse()
    body = response.read(ANSWER_BYTES + 1)
    if len(body) > ANSWER_BYTES:
        message = "longer than any answer"
        raise ValueError(message)
    return Reply(response.status, read_json(body))


def _read_key(value: bytes, account: str, reach: Reach) -> Iterator[ApiKey]:
    """The key to one of our accounts with a partner, if the secret can be read.

    `{"url": "https://...", "key": "...", "client_id": "...", "accounts": {"<account>": "<key>"}}`: `key` is for every
    account that has none of its own.

    Raises:
        NotAskable: it is read, and has no key to this account.
    """
    try:
        said: Mapping[str, Any] = json.loads(value)
        url, key = str(said["url"]), said.get("accounts", {}).get(account) or said.get("key", "")
        read_url(url, reach)
        found = ApiKey(url, str(key), str(said.get("client_id", "")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UrlNotAllowed):
        return
    if not found.value:
        message = "there is no key to this account with the partner"
        raise NotAskable(message, field="account")
    if _WORD.fullmatch(found.value) and (not found.client_id or _WORD.fullmatch(found.client_id)):
        yield found
