"""One signature, one spelling: of ECDSA's (r, s) and (r, n - s), both of which a key verifies, the one of the low s.

Anybody can turn one into the other without the key. A seal's hash covers its signature and the next seal names that
hash, so a second spelling would be another chain. Only the low one is written, and only it is believed.
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""n, the order of P-256's base point (NIST SP 800-186, 2023, section 3.2.1.3)."""


def low_s(signature: bytes) -> bytes:
    """The signature of the low s, in DER's one spelling.

    Raises:
        ValueError: it is no signature.
    """
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, P256_ORDER - s))


def is_low_s(signature: bytes) -> bool:
    """Whether a signature is in its one spelling."""
    try:
        return low_s(signature) == signature
    except ValueError:
        return False
