"""What every emulated service needs of its surroundings, made once a process."""

from dataclasses import dataclass

from emulators.services.alarms import Alarms
from emulators.services.oidc import Issuer
from emulators.services.outcalls import Outcalls
from emulators.services.state import StateFile
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class World:
    """Time, memory, and the way out to the doors."""

    clock: Clock
    alarms: Alarms
    state: StateFile
    issuer: Issuer
    outcalls: Outcalls
