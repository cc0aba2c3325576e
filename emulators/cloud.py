"""The whole local cloud as one value: up while the context is open, gone afterwards.

```python
with LocalCloud(home) as cloud:
    house = House(cloud.settings())
```
Everything starts at once, since Java and Python both take their time, and is waited for in turn.
Two clouds at once need two homes and share nothing.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self, TypeAlias

from emulators import google, host_process, secret_files
from emulators.addresses import LOOPBACK, Leases, answers, fetch
from emulators.catalogue import REPOSITORY, Catalogue, load_catalogue
from emulators.partner_apis.driver import PartnersDriver
from emulators.partners.keys import signing_secret
from emulators.processes import (
    Child,
    CloudFault,
    PortTaken,
    Program,
    inherited_environment,
    interpreter,
    start,
    wait_until_ready,
)
from emulators.state import KMS_KEY, PROJECT, REGION, SEAL_KEY_VERSION, Home, State, process_id
from shared.clock import SettableClock
from shared.identity import SystemIds
from shared.payments.partners.adapter import Secret
from shared.settings import Settings, read_settings

Tell: TypeAlias = Callable[[str], None]

_ATTEMPTS = 3
_PORTS = ("firestore", "pubsub", "services_grpc", "services_http", "partners", "doors")


@dataclass(slots=True)
class LocalCloud:
    """Google's emulators, ours and the doors, all children of this process.

    `doors` limits the doors served (all when empty), `root` is the folder that holds functions/,
    `variables` are added to the doors' environment, `starts_at` sets the clock before anything looks
    at it (else the machine's time), `tell` hears what is going on.
    """

    home_path: Path
    doors: Collection[str] = ()
    root: Path = REPOSITORY
    variables: Mapping[str, str] = field(default_factory=dict)
    starts_at: datetime | None = None
    tell: Tell = lambda _line: None
    _home: Home = field(init=False)
    _catalogue: Catalogue = field(init=False)
    _ports: dict[str, int] = field(init=False, default_factory=dict)
    _children: dict[str, Child] = field(init=False, default_factory=dict)
    _held: contextlib.ExitStack = field(init=False, default_factory=contextlib.ExitStack)
    _host_wanted: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        self.home_path = self.home_path.resolve()
        self._home = Home(self.home_path)

    # --- up and down

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Bring everything up and wait until it answers. The books begin empty.

        Raises:
            AlreadyUp: another cloud runs in this home.
            EmulatorsMissing: something must be installed first.
            CatalogueMistaken: the catalogue is wrong, or a door has no file.
            CloudFault: a process ended or did not answer; its log says why.
        """
        self._catalogue = load_catalogue(self.root, self.doors)
        installation = google.find_installation()
        lock = self._home.claim()
        self._held.callback(os.close, lock)
        try:
            self._start_somewhere(installation)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything, by process id, in the order of its use. Doing it twice is harmless."""
        for name in ("host", "services", "pubsub", "firestore"):
            if child := self._children.pop(name, None):
                self.tell(f"stopping {name}")
                # Google's emulators keep nothing worth a goodbye.
                child.kill() if name in {"pubsub", "firestore"} else child.stop()
        self._home.forget()
        self._held.close()

    # --- where it is

    @property
    def home(self) -> Home:
        """The state folder."""
        return self._home

    @property
    def catalogue(self) -> Catalogue:
        """What is served."""
        return self._catalogue

    @property
    def doors_url(self) -> str:
        """Where every door answers."""
        return f"http://{LOOPBACK}:{self._ports['doors']}"

    @property
    def services_url(self) -> str:
        """HTTP address of our services: key set, tokens, idleness."""
        return f"http://{LOOPBACK}:{self._ports['services_http']}"

    @property
    def clock(self) -> SettableClock:
        """The clock of every process of this cloud."""
        return SettableClock(self._home.clock)

    @property
    def platform_key(self) -> str:
        """The platform's API key."""
        return secret_files.read_secret(self._home.secrets, secret_files.PLATFORM_KEY)

    def environment(self) -> dict[str, str]:
        """The variables that make a process part of this cloud (shared/settings.py)."""
        services = f"{LOOPBACK}:{self._ports['services_grpc']}"
        return {
            "DAYBOOK_PROJECT": PROJECT,
            "DAYBOOK_REGION": REGION,
            "DAYBOOK_KMS_KEY": KMS_KEY,
            "DAYBOOK_SEAL_KEY_VERSION": SEAL_KEY_VERSION,
            "DAYBOOK_DOORS_URL": self.doors_url,
            "DAYBOOK_OIDC_ISSUER": self.services_url,
            "DAYBOOK_OIDC_JWKS_URL": f"{self.services_url}/jwks",
            "DAYBOOK_FIRESTORE_ENDPOINT": f"{LOOPBACK}:{self._ports['firestore']}",
            "DAYBOOK_PUBSUB_ENDPOINT": f"{LOOPBACK}:{self._ports['pubsub']}",
            "DAYBOOK_TASKS_ENDPOINT": services,
            "DAYBOOK_KMS_ENDPOINT": services,
            "DAYBOOK_SECRETS_PATH": str(self._home.secrets),
            "DAYBOOK_CLOCK_PATH": str(self._home.clock),
            "DAYBOOK_WEBHOOKS_TO_LOOPBACK": "yes",
            **self.variables,
        }

    def settings(self) -> Settings:
        """The same as settings."""
        return read_settings(self.environment())

    def signing_secret(self, tenant: str, partner: str) -> Secret:
        """What a partner signs with for a tenant, made if it is not there."""
        return signing_secret(self._home.secrets, tenant, partner, SystemIds())

    def make_webhook_secret(self, tenant: str) -> str:
        """Stripe's signing secret for a tenant, made if it is not there."""
        return self.signing_secret(tenant, "stripe").value.decode()

    @property
    def partners(self) -> PartnersDriver:
        """Partners' own APIs, to be fed and broken."""
        return PartnersDriver(f"http://{LOOPBACK}:{self._ports['partners']}")

    def make_partner_key(self, tenant: str, partner: str) -> None:
        """Let a tenant ask a partner's emulated API."""
        secret_files.make_partner_key(self._home.secrets, tenant, partner, self.partners.secret(partner))

    def wait_until_idle(self, seconds: float = 60.0) -> None:
        """Wait until no task or job is due or running and no push is on its way through our relay.

        A message that was published but not yet pushed (about 50 ms) is not seen.

        Raises:
            CloudFault: still busy after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while True:
            body = fetch(f"{self.services_url}/admin/idle")
            if body is not None and json.loads(body)["idle"]:
                return
            if time.monotonic() > deadline:
                message = f"still busy after {seconds:.0f} s: {(body or b'').decode()}"
                raise CloudFault(message)
            time.sleep(0.02)

    # --- the functions host

    @property
    def host_pid(self) -> int:
        """Process id of the functions host, which is also its group's."""
        return self._children["host"].pid

    def kill_host(self) -> None:
        """Kill -9 the functions host with all its workers; it stays away until `start_host`."""
        self._host_wanted = False
        self._children["host"].kill()

    def start_host(self) -> None:
        """Start the functions host again, on the same port.

        Raises:
            CloudFault: it did not come up.
        """
        self._host_wanted = True
        self._spawn_host()
        wait_until_ready({"host": self._conditions()["host"]})
        self._write_state()

    def tend(self) -> None:
        """Restart a functions host that died by itself; call it now and then.

        Raises:
            CloudFault: an emulator ended, and what it remembered with it: no use in going on.
        """
        for name in ("firestore", "pubsub", "services"):
            if not self._children[name].alive():
                message = f"{name} ended and took its memory along; see {self._home.log(name)}"
                raise CloudFault(message)
        if self._host_wanted and not self._children["host"].alive():
            self.tell("the functions host died: starting it again")
            self._children["host"].kill()
            self.start_host()

    # --- starting

    def _start_somewhere(self, installation: google.Installation) -> None:
        secret_files.make_secrets(self._home.secrets, SystemIds())
        self._home.services.unlink(missing_ok=True)
        self._home.credentials.unlink(missing_ok=True)
        self._home.clock.unlink(missing_ok=True)
        if self.starts_at:
            self.clock.set(self.starts_at)
        self._home.remember_key("platform", self.platform_key)
        for attempt in range(1, _ATTEMPTS + 1):
            leases = self._held.enter_context(contextlib.closing(Leases(self.home_path, attempt)))
            self._ports = {name: leases.lease() for name in _PORTS}
            try:
                self._start_everything(installation)
            except PortTaken:
                if attempt == _ATTEMPTS:
                    raise
                self.tell("a port was taken meanwhile: trying others")
                for child in self._children.values():
                    child.kill()
            else:
                return

    def _start_everything(self, installation: google.Installation) -> None:
        self.tell("starting Firestore, Pub/Sub, services and the functions host")
        firestore, pubsub = self._ports["firestore"], self._ports["pubsub"]
        self._children["firestore"] = google.start_firestore(installation, firestore, self._home.log("firestore"))
        self._children["pubsub"] = google.start_pubsub(installation, pubsub, self._home.log("pubsub"))
        self._spawn_services()
        self._spawn_host()
        from emulators.provision import provision  # noqa: PLC0415 - a second of Google's clients, while Java starts

        wait_until_ready(self._conditions(), heard=self._tell_ready)
        google.warm_firestore(f"{LOOPBACK}:{firestore}")
        provision(self._catalogue, self.settings(), self.services_url)
        self.tell("queues, key, topics, subscriptions and jobs are made")
        self._write_state()

    def _spawn_services(self) -> None:
        arguments = (
            *("--grpc-port", str(self._ports["services_grpc"]), "--http-port", str(self._ports["services_http"])),
            *("--partners-port", str(self._ports["partners"])),
            *("--state-file", str(self._home.services), "--clock", str(self._home.clock)),
            *("--doors-url", self.doors_url),
        )
        command = interpreter("emulators.services", *arguments)
        self._children["services"] = start(self._program("services", command))

    def _spawn_host(self) -> None:
        program = self._program("host", host_process.command(self._ports["doors"]), output=self._home.log("doors"))
        self._children["host"] = start(program)

    def _program(self, name: str, command: tuple[str, ...], output: Path | None = None) -> Program:
        own = {host_process.DOORS_VARIABLE: ",".join(self.doors), host_process.ROOT_VARIABLE: str(self.root)}
        variables = {"PYTHONPATH": str(REPOSITORY), **self.environment(), **own}
        return Program(name, command, self._home.log(name), output, inherited_environment(variables), REPOSITORY)

    def _conditions(self) -> dict[str, tuple[Child, Callable[[], bool]]]:
        def at(port: str, path: str = "/") -> bool:
            return answers(f"http://{LOOPBACK}:{self._ports[port]}{path}")

        found: dict[str, Callable[[], bool]] = {
            "firestore": lambda: at("firestore"),
            "pubsub": lambda: at("pubsub"),
            "services": lambda: at("services_http", "/healthz"),
            "host": lambda: host_process.master_of(self.doors_url) == self.host_pid,
        }
        return {name: (self._children[name], ready) for name, ready in found.items()}

    def _tell_ready(self, name: str) -> None:
        port = self._ports[{"services": "services_grpc", "host": "doors"}.get(name, name)]
        served = {
            "firestore": "Firestore answers",
            "pubsub": "Pub/Sub answers",
            "services": "Cloud Tasks, KMS and Scheduler answer",
            "host": f"{len(self._catalogue.functions)} doors answer",
        }
        self.tell(f"{served[name]} on {LOOPBACK}:{port}")

    def _write_state(self) -> None:
        self._home.write(
            State(
                runner=process_id(os.getpid()),
                processes={name: process_id(child.pid) for name, child in self._children.items()},
                ports=self._ports,
                environment=self.environment(),
                doors=tuple(one.name for one in self._catalogue.functions),
            )
        )
