"""What drives the emulated partners from outside: feeds them, breaks them, and looks at what they were asked."""

import json
import urllib.request
from dataclasses import asdict, dataclass
from typing import Any, Final

from emulators.partner_apis.things import Known

PARTNERS: Final = ("adyen", "airwallex", "gocardless", "square", "stripe", "wise")
KEY: Final = "emulated-partner-key"


@dataclass(frozen=True, slots=True)
class PartnersDriver:
    """The emulated partners at an address."""

    url: str

    def feed(self, thing: Known) -> None:
        """Let a partner know of a thing."""
        self._send("/admin/things", asdict(thing) | {"thing": thing.thing.value})

    def trouble(self, partner: str, kind: str, **said: Any) -> None:
        """Let a partner's next answers go wrong: see `web.Trouble`."""
        self._send("/admin/faults", {"partner": partner, "kind": kind, **said})

    def heal(self, partner: str) -> None:
        """Let nothing go wrong any more with a partner's answers."""
        self._send("/admin/heal", {"partner": partner})

    def asked(self, partner: str) -> list[str]:
        """What a partner was asked, in order: method and path."""
        said = self._send("/admin/asked")["asked"]
        return [f"{one['method']} {one['path']}" for one in said if one["partner"] == partner]

    def secret(self, partner: str, key: str = KEY) -> str:
        """A key to a partner's API here, as it stands in the secret `partner-api-{tenant}-{partner}`."""
        base = f"{self.url}/v72" if partner == "adyen" else self.url
        return json.dumps({"url": base, "key": key, "client_id": "emulated-client"})

    def _send(self, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}{path}", data)  # noqa: S310 - loopback
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as response:
            return json.loads(response.read())
