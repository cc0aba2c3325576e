"""Frozen settings, read once from the environment: the only difference between a laptop and production."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the world is. An empty endpoint means Google's own, with the instance's credentials."""

    project: str
    region: str
    database: str
    keysets_database: str
    kms_key: str
    """Resource name of the platform's key: projects/P/locations/L/keyRings/R/cryptoKeys/K."""
    doors_url: str
    """Base of every private door's address: {doors_url}/{door} is also the audience of its tokens."""
    oidc_issuer: str
    oidc_jwks_url: str
    callers_domain: str
    """Service accounts that call private doors are {caller}@{callers_domain}."""
    firestore_endpoint: str = ""
    tasks_endpoint: str = ""
    pubsub_endpoint: str = ""
    kms_endpoint: str = ""
    seal_key_version: str = ""
    """The key version that signs seals: .../cryptoKeys/K/cryptoKeyVersions/N. Empty: nothing is sealed."""
    secrets_path: Path | None = None
    """Folder of secret files; None means Secret Manager."""
    clock_path: Path | None = None
    """File of the settable clock; None means the system's."""
    seal_personal_data: bool = True
    """Off only in the test that shows that the plaintext check finds what is not sealed; refused without emulators."""
    webhooks_to_loopback: bool = False
    """Whether webhooks may go to http://127.0.0.1 too: on a laptop only, refused without emulators."""

    def __post_init__(self) -> None:
        """Refuse to run unsealed, or to send webhooks to this machine, against anything but an emulator."""
        if not self.seal_personal_data and not self.firestore_endpoint:
            message = "personal data is always sealed outside the emulators"
            raise ValueError(message)
        if self.webhooks_to_loopback and not self.firestore_endpoint:
            message = "webhooks go to public addresses only outside the emulators"
            raise ValueError(message)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from `DAYBOOK_*` variables.

    Raises:
        KeyError: a variable that has no default is missing.
    """
    env = os.environ if environment is None else environment
    project, region = env["DAYBOOK_PROJECT"], env["DAYBOOK_REGION"]
    secrets, clock = env.get("DAYBOOK_SECRETS_PATH", ""), env.get("DAYBOOK_CLOCK_PATH", "")
    return Settings(
        project=project,
        region=region,
        database=env.get("DAYBOOK_DATABASE", "(default)"),
        keysets_database=env.get("DAYBOOK_KEYSETS_DATABASE", "keysets"),
        kms_key=env["DAYBOOK_KMS_KEY"],
        doors_url=env["DAYBOOK_DOORS_URL"],
        oidc_issuer=env.get("DAYBOOK_OIDC_ISSUER", "https://accounts.google.com"),
        oidc_jwks_url=env.get("DAYBOOK_OIDC_JWKS_URL", "https://www.googleapis.com/oauth2/v3/certs"),
        callers_domain=env.get("DAYBOOK_CALLERS_DOMAIN", f"{project}.iam.gserviceaccount.com"),
        firestore_endpoint=env.get("DAYBOOK_FIRESTORE_ENDPOINT", ""),
        tasks_endpoint=env.get("DAYBOOK_TASKS_ENDPOINT", ""),
        pubsub_endpoint=env.get("DAYBOOK_PUBSUB_ENDPOINT", ""),
        kms_endpoint=env.get("DAYBOOK_KMS_ENDPOINT", ""),
        seal_key_version=env.get("DAYBOOK_SEAL_KEY_VERSION", ""),
        secrets_path=Path(secrets) if secrets else None,
        clock_path=Path(clock) if clock else None,
        seal_personal_data=env.get("DAYBOOK_SEAL_PERSONAL_DATA", "yes") != "no",
        webhooks_to_loopback=env.get("DAYBOOK_WEBHOOKS_TO_LOOPBACK", "no") == "yes",
    )
