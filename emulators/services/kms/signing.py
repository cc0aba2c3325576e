"""Asymmetric signing: EC P-256 with SHA-256, the one algorithm that the house signs with."""

import hashlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from google.cloud import kms_v1

Algorithm = kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm
SIGNING_ALGORITHM = Algorithm.EC_SIGN_P256_SHA256
DIGEST_BYTES = hashlib.sha256().digest_size

_PREHASHED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


def new_private_key() -> bytes:
    """A fresh private key, PKCS 8 in DER."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def sign_digest(digest: bytes, material: bytes) -> bytes:
    """The signature over a SHA-256 digest, DER."""
    return _private(material).sign(digest, _PREHASHED)


def public_pem(material: bytes) -> str:
    """The public key, PEM."""
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return _private(material).public_key().public_bytes(serialization.Encoding.PEM, spki).decode()


def _private(material: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_der_private_key(material, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        message = "the state file holds another kind of key"
        raise TypeError(message)
    return key
