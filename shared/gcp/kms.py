"""The platform's key in Cloud KMS: checksums both ways, for a flipped bit in a wrapped key is a lost key."""

from typing import Any, Final

import google_crc32c
import grpc

from shared import counters
from shared.gcp.messages import Messages
from shared.gcp.patience import Deadline
from shared.gcp.rpc import ATTEMPTS, Method, Rpc, RpcFailed, silent
from shared.keys import KeyDestroyed
from shared.settings import Settings

HOST: Final = "cloudkms.googleapis.com"

_types: Final = Messages("google.cloud.kms_v1", "service")
_SERVICE: Final = "/google.cloud.kms.v1.KeyManagementService"
_ENCRYPT: Final = Method(f"{_SERVICE}/Encrypt", _types.EncryptRequest, _types.EncryptResponse, route="name")
_DECRYPT: Final = Method(f"{_SERVICE}/Decrypt", _types.DecryptRequest, _types.DecryptResponse, route="name")

_CANNOT_OPEN: Final = frozenset({grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT})
"""Disabled or destroyed; or not a ciphertext of this key and data."""


class KmsKeys:
    """One symmetric key as the port `Keys`."""

    def __init__(self, settings: Settings, *, rpc: Rpc | None = None) -> None:
        """Use the settings' key, through `rpc` where a test brings its own."""
        self._key = settings.kms_key
        self._rpc = rpc or Rpc(HOST, settings.kms_endpoint)

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Wrap; see the port.

        Raises:
            KeyDestroyed: the primary version is disabled or destroyed.
        """
        request = _types.EncryptRequest(
            name=self._key,
            plaintext=plaintext,
            additional_authenticated_data=associated_data,
            plaintext_crc32c=_checksum(plaintext),
            additional_authenticated_data_crc32c=_checksum(associated_data),
        )
        return bytes(self._sound(_ENCRYPT, request).ciphertext)

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Unwrap; see the port."""
        request = _types.DecryptRequest(
            name=self._key,
            ciphertext=ciphertext,
            additional_authenticated_data=associated_data,
            ciphertext_crc32c=_checksum(ciphertext),
            additional_authenticated_data_crc32c=_checksum(associated_data),
        )
        return bytes(self._sound(_DECRYPT, request).plaintext)

    def _sound(self, method: Method, request: Any) -> Any:
        """Ask until the answer's checksums hold; the service refuses a question whose own do not."""
        deadline = self._rpc.patience.start()
        for _ in range(ATTEMPTS):
            answer = self._ask(method, request, deadline)
            if _is_sound(method, answer):
                return answer
            if not deadline.pause():
                break
        raise silent(method)

    def _ask(self, method: Method, request: Any, deadline: Deadline) -> Any:
        try:
            answer = self._rpc.ask(method, request, deadline)
        except RpcFailed as failed:
            if failed.status in _CANNOT_OPEN:
                message = f"the platform's key did not answer: {failed.status.name}"
                raise KeyDestroyed(message) from failed
            raise
        counters.current().kms += 1
        return answer


def _checksum(data: bytes) -> dict[str, int]:
    return {"value": google_crc32c.value(data)}


def _is_sound(method: Method, answer: Any) -> bool:
    if method is _DECRYPT:
        return bool(answer.plaintext_crc32c.value == google_crc32c.value(answer.plaintext))
    return bool(
        answer.verified_plaintext_crc32c
        and answer.verified_additional_authenticated_data_crc32c
        and answer.ciphertext_crc32c.value == google_crc32c.value(answer.ciphertext)
    )
