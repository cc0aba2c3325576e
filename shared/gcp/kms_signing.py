"""The key that signs seals, in Cloud KMS: EC P-256 with SHA-256, checksums both ways."""

import hashlib
from typing import Any, Final

import google_crc32c
import grpc

from shared import counters
from shared.gcp.kms import HOST
from shared.gcp.messages import Messages
from shared.gcp.rpc import ATTEMPTS, Method, Rpc, RpcFailed, silent
from shared.keys import KeyDestroyed
from shared.settings import Settings

_types: Final = Messages("google.cloud.kms_v1", "service")
_resources: Final = Messages("google.cloud.kms_v1", "resources")
_SERVICE: Final = "/google.cloud.kms.v1.KeyManagementService"
_SIGN: Final = Method(
    f"{_SERVICE}/AsymmetricSign", _types.AsymmetricSignRequest, _types.AsymmetricSignResponse, route="name"
)
_PUBLIC_KEY: Final = Method(f"{_SERVICE}/GetPublicKey", _types.GetPublicKeyRequest, _resources.PublicKey, route="name")


class KmsSigner:
    """One version of an asymmetric key as the port `Signer`."""

    def __init__(self, settings: Settings, *, rpc: Rpc | None = None) -> None:
        """Use the settings' key version, through `rpc` where a test brings its own."""
        self._version = settings.seal_key_version
        self._rpc = rpc or Rpc(HOST, settings.kms_endpoint)

    @property
    def key_version(self) -> str:
        """The version's resource name.

        Raises:
            ValueError: the settings name none; doors that only read seals need none.
        """
        if not self._version:
            message = "no key version signs seals here: set DAYBOOK_SEAL_KEY_VERSION"
            raise ValueError(message)
        return self._version

    def sign(self, statement: bytes) -> bytes:
        """Sign; see the port. Only the statement's digest leaves the process."""
        digest = hashlib.sha256(statement).digest()
        request = _types.AsymmetricSignRequest(
            name=self.key_version,
            digest={"sha256": digest},
            digest_crc32c={"value": google_crc32c.value(digest)},
        )
        return bytes(self._sound(_SIGN, request).signature)

    def public_key(self) -> str:
        """The public key, PEM; see the port."""
        return str(self._sound(_PUBLIC_KEY, _types.GetPublicKeyRequest(name=self.key_version)).pem)

    def _sound(self, method: Method, request: Any) -> Any:
        """Ask until the answer is of this version and its checksums hold."""
        deadline = self._rpc.patience.start()
        for _ in range(ATTEMPTS):
            try:
                answer = self._rpc.ask(method, request, deadline)
            except RpcFailed as failed:
                if failed.status is grpc.StatusCode.FAILED_PRECONDITION:
                    message = "the key version that signs seals is disabled or destroyed"
                    raise KeyDestroyed(message) from failed
                raise
            counters.current().kms += 1
            if answer.name == self._version and _is_sound(method, answer):
                return answer
            if not deadline.pause():
                break
        raise silent(method)


def _is_sound(method: Method, answer: Any) -> bool:
    if method is _PUBLIC_KEY:
        return bool(answer.pem_crc32c.value == google_crc32c.value(answer.pem.encode()))
    return bool(
        answer.verified_digest_crc32c and answer.signature_crc32c.value == google_crc32c.value(answer.signature)
    )
