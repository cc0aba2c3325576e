"""Keys and their versions: which exist, in which state, and with which material. Material is kept nowhere else.

States of a version:

    ENABLED <-> DISABLED, either -> DESTROY_SCHEDULED -> (restore) DISABLED
    DESTROY_SCHEDULED -> DESTROYED when the clock passes destroy_time; the material is gone then.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from google.cloud import kms_v1

from emulators.services.declined import not_found, wrong_state
from emulators.services.grpc_server import Message
from emulators.services.kms.ciphertext import new_material
from emulators.services.kms.messages import CryptoKey, CryptoKeyVersion
from emulators.services.kms.signing import SIGNING_ALGORITHM, new_private_key

State = kms_v1.CryptoKeyVersion.CryptoKeyVersionState
SYMMETRIC = kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm.GOOGLE_SYMMETRIC_ENCRYPTION
DESTROY_AFTER = timedelta(days=30)


@dataclass(slots=True)
class Version:
    """One version: its number, the message clients see, and its AES or private key until that is destroyed."""

    number: int
    message: Message
    material: bytes | None

    @property
    def is_enabled(self) -> bool:
        """Whether it encrypts and decrypts, or signs."""
        return bool(self.message.state == State.ENABLED)

    def demand_enabled(self) -> bytes:
        """The material.

        Raises:
            Declined: FAILED_PRECONDITION unless the version is enabled.
        """
        if not self.is_enabled or self.material is None:
            message = f"{self.message.name} is not enabled, current state is: {State(self.message.state).name}."
            raise wrong_state(message)
        return self.material

    def pass_time(self, now: datetime) -> bool:
        """Destroy the material if its time has come; whether it did."""
        if self.message.state != State.DESTROY_SCHEDULED or self.message.destroy_time.ToDatetime(now.tzinfo) > now:
            return False
        self.material = None
        self.message.state = State.DESTROYED
        self.message.destroy_event_time.CopyFrom(self.message.destroy_time)
        self.message.ClearField("destroy_time")
        return True


@dataclass(slots=True)
class Key:
    """A key: the message clients see (without `primary`, which is looked up), its versions by number."""

    message: Message
    versions: dict[int, Version] = field(default_factory=dict)
    primary: int = 0

    @property
    def signs(self) -> bool:
        """Whether it is a key that signs; one that does not encrypts."""
        return bool(self.message.purpose == kms_v1.CryptoKey.CryptoKeyPurpose.ASYMMETRIC_SIGN)

    def add_version(self, now: datetime) -> Version:
        """Make the next version, enabled, of fresh material."""
        number = max(self.versions, default=0) + 1
        message = CryptoKeyVersion(
            name=f"{self.message.name}/cryptoKeyVersions/{number}",
            state=State.ENABLED,
            protection_level=kms_v1.ProtectionLevel.SOFTWARE,
            algorithm=SIGNING_ALGORITHM if self.signs else SYMMETRIC,
        )
        message.create_time.FromDatetime(now)
        message.generate_time.FromDatetime(now)
        version = self.versions[number] = Version(number, message, new_private_key() if self.signs else new_material())
        return version

    def version(self, number: int) -> Version:
        """A version by its number.

        Raises:
            Declined: NOT_FOUND.
        """
        if number not in self.versions:
            message = f"{self.message.name}/cryptoKeyVersions/{number} not found."
            raise not_found(message)
        return self.versions[number]

    def primary_version(self) -> Version:
        """The version that encrypts.

        Raises:
            Declined: FAILED_PRECONDITION when the key has none.
        """
        if not self.primary:
            message = f"{self.message.name} has no primary version."
            raise wrong_state(message)
        return self.versions[self.primary]

    def shown(self) -> Message:
        """The key as clients see it."""
        seen = CryptoKey()
        seen.CopyFrom(self.message)
        if self.primary:
            seen.primary.CopyFrom(self.versions[self.primary].message)
        return seen

    def schedule_destruction(self, version: Version, now: datetime) -> None:
        """Begin the wait at whose end the material goes.

        Raises:
            Declined: FAILED_PRECONDITION unless it is enabled or disabled.
        """
        if version.message.state not in {State.ENABLED, State.DISABLED}:
            message = f"{version.message.name} cannot be destroyed from state {State(version.message.state).name}."
            raise wrong_state(message)
        version.message.state = State.DESTROY_SCHEDULED
        version.message.destroy_time.FromDatetime(now + self.message.destroy_scheduled_duration.ToTimedelta())

    def pass_time(self, now: datetime) -> bool:
        """Destroy and rotate what is due by the clock; whether anything was.

        A clock that jumped over several rotations makes one new version, not one for each.
        """
        has_changed = False
        for version in self.versions.values():
            has_changed |= version.pass_time(now)
        following, period = self.message.next_rotation_time, self.message.rotation_period.ToTimedelta()
        if not self.message.HasField("next_rotation_time") or following.ToDatetime(now.tzinfo) > now:
            return has_changed
        self.primary = self.add_version(now).number
        if period:
            missed = (now - following.ToDatetime(now.tzinfo)) // period
            following.FromDatetime(following.ToDatetime(now.tzinfo) + period * (missed + 1))
        else:
            self.message.ClearField("next_rotation_time")
        return True

    # --- to and from the state file

    def as_json(self) -> dict[str, Any]:
        """The key with its material."""
        return {
            "key": _text(self.message.SerializeToString()),
            "primary": self.primary,
            "versions": [
                {
                    "number": version.number,
                    "version": _text(version.message.SerializeToString()),
                    "material": _text(version.material) if version.material else None,
                }
                for version in self.versions.values()
            ],
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Key":
        """A key as `as_json` wrote it."""
        versions = {row["number"]: _version(row) for row in kept["versions"]}
        return cls(CryptoKey.FromString(base64.b64decode(kept["key"])), versions, kept["primary"])


def _version(row: dict[str, Any]) -> Version:
    material = base64.b64decode(row["material"]) if row["material"] else None
    return Version(row["number"], CryptoKeyVersion.FromString(base64.b64decode(row["version"])), material)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def pass_time(keys: Iterable[Key], now: datetime) -> bool:
    """Let time pass for all keys; whether anything changed."""
    changed = [key.pass_time(now) for key in keys]
    return True in changed
