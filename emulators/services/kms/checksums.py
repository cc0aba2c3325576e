"""CRC32C both ways, and the size limits: what the service checks before it touches a key."""

import google_crc32c

from emulators.services.declined import invalid
from emulators.services.grpc_server import Message

FIELD_BYTES = 64 * 1024


def crc32c(content: bytes) -> int:
    """The CRC32C (Castagnoli) of some bytes, unsigned."""
    return int(google_crc32c.value(content))


def is_verified(request: Message, field: str) -> bool:
    """Whether the client sent a checksum of `field`, having checked it.

    Raises:
        Declined: INVALID_ARGUMENT when the checksum is of other bytes.
    """
    if not request.HasField(f"{field}_crc32c"):
        return False
    if getattr(request, f"{field}_crc32c").value != crc32c(getattr(request, field)):
        message = f"The checksum in field {field}_crc32c did not match the data in field {field}."
        raise invalid(message)
    return True


def check_size(request: Message, field: str, limit: int = FIELD_BYTES) -> None:
    """Refuse a field of more than `limit` bytes.

    Raises:
        Declined: INVALID_ARGUMENT.
    """
    if len(getattr(request, field)) > limit:
        message = f"The field {field} is longer than {limit} bytes."
        raise invalid(message)
