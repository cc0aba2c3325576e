"""The RPCs of google.cloud.kms.v1.KeyManagementService that the house calls: keys that encrypt, keys that sign."""

import re
from datetime import timedelta

import grpc
from google.cloud import kms_v1

from emulators.services.declined import already_exists, invalid, not_emulated, not_found, wrong_state
from emulators.services.grpc_server import Message, Rpc, service
from emulators.services.kms import messages as wire
from emulators.services.kms.checksums import check_size, crc32c, is_verified
from emulators.services.kms.ciphertext import Unreadable, open_envelope, seal, unseal
from emulators.services.kms.keys import DESTROY_AFTER, SYMMETRIC, Key, State, Version, pass_time
from emulators.services.kms.signing import DIGEST_BYTES, SIGNING_ALGORITHM, public_pem, sign_digest
from emulators.services.listing import one_page
from emulators.services.world import World

SECTION = "kms"
ID = re.compile(r"[A-Za-z0-9_-]{1,63}")
CIPHERTEXT_BYTES = 128 * 1024
SOFTWARE = kms_v1.ProtectionLevel.SOFTWARE
PURPOSE = kms_v1.CryptoKey.CryptoKeyPurpose


class KmsService:
    """Key rings and keys by their full names."""

    def __init__(self, world: World) -> None:
        """Take up the keys kept in the state file."""
        self._world = world
        kept = world.state.read(SECTION) or {"rings": {}, "keys": []}
        self._rings: dict[str, int] = kept["rings"]
        keys = [Key.from_json(row) for row in kept["keys"]]
        self._keys = {key.message.name: key for key in keys}

    def handler(self) -> grpc.GenericRpcHandler:
        """The gRPC service."""
        return service(
            wire.SERVICE,
            (
                Rpc("CreateKeyRing", self.create_key_ring, wire.CreateKeyRingRequest, wire.KeyRing),
                Rpc("GetKeyRing", self.get_key_ring, wire.GetKeyRingRequest, wire.KeyRing),
                Rpc("ListKeyRings", self.list_key_rings, wire.ListKeyRingsRequest, wire.ListKeyRingsResponse),
                Rpc("CreateCryptoKey", self.create_key, wire.CreateCryptoKeyRequest, wire.CryptoKey),
                Rpc("GetCryptoKey", self.get_key, wire.GetCryptoKeyRequest, wire.CryptoKey),
                Rpc("ListCryptoKeys", self.list_keys, wire.ListCryptoKeysRequest, wire.ListCryptoKeysResponse),
                Rpc(
                    "UpdateCryptoKeyPrimaryVersion",
                    self.update_primary,
                    wire.UpdateCryptoKeyPrimaryVersionRequest,
                    wire.CryptoKey,
                ),
                *self._version_rpcs(),
                Rpc("Encrypt", self.encrypt, wire.EncryptRequest, wire.EncryptResponse),
                Rpc("Decrypt", self.decrypt, wire.DecryptRequest, wire.DecryptResponse),
                Rpc("AsymmetricSign", self.sign, wire.AsymmetricSignRequest, wire.AsymmetricSignResponse),
                Rpc("GetPublicKey", self.public_key, wire.GetPublicKeyRequest, wire.PublicKey),
            ),
        )

    def _version_rpcs(self) -> tuple[Rpc, ...]:
        version = wire.CryptoKeyVersion
        return (
            Rpc("CreateCryptoKeyVersion", self.create_version, wire.CreateCryptoKeyVersionRequest, version),
            Rpc("GetCryptoKeyVersion", self.get_version, wire.GetCryptoKeyVersionRequest, version),
            Rpc(
                "ListCryptoKeyVersions",
                self.list_versions,
                wire.ListCryptoKeyVersionsRequest,
                wire.ListCryptoKeyVersionsResponse,
            ),
            Rpc("UpdateCryptoKeyVersion", self.update_version, wire.UpdateCryptoKeyVersionRequest, version),
            Rpc("DestroyCryptoKeyVersion", self.destroy_version, wire.DestroyCryptoKeyVersionRequest, version),
            Rpc("RestoreCryptoKeyVersion", self.restore_version, wire.RestoreCryptoKeyVersionRequest, version),
        )

    # --- rings

    async def create_key_ring(self, request: Message) -> Message:
        """Make a ring; rings are never deleted."""
        name = f"{request.parent}/keyRings/{_checked_id(request.key_ring_id)}"
        if name in self._rings:
            message = f"KeyRing {name} already exists."
            raise already_exists(message)
        self._rings[name] = int(self._world.clock.now().timestamp())
        self._keep()
        return self._ring(name)

    async def get_key_ring(self, request: Message) -> Message:
        """One ring."""
        return self._ring(request.name)

    async def list_key_rings(self, request: Message) -> Message:
        """The rings of a location."""
        named = ((name, self._ring(name)) for name in self._rings if name.startswith(f"{request.parent}/keyRings/"))
        page, token = one_page(named, request.page_size, request.page_token)
        return wire.ListKeyRingsResponse(key_rings=page, next_page_token=token, total_size=len(page))

    # --- keys

    async def create_key(self, request: Message) -> Message:
        """Make a key with its first version (unless that is left for later), the primary of one that encrypts."""
        name = f"{self._ring(request.parent).name}/cryptoKeys/{_checked_id(request.crypto_key_id)}"
        if name in self._keys:
            message = f"CryptoKey {name} already exists."
            raise already_exists(message)
        now = self._world.clock.now()
        key = Key(_described(request.crypto_key, name))
        key.message.create_time.FromDatetime(now)
        if not request.skip_initial_version_creation:
            first = key.add_version(now)
            key.primary = 0 if key.signs else first.number
        self._keys[name] = key
        self._keep()
        return key.shown()

    async def get_key(self, request: Message) -> Message:
        """One key with its primary version."""
        return self._key(request.name).shown()

    async def list_keys(self, request: Message) -> Message:
        """The keys of a ring."""
        self._pass_time()
        prefix = f"{self._ring(request.parent).name}/cryptoKeys/"
        named = ((name, key.shown()) for name, key in self._keys.items() if name.startswith(prefix))
        page, token = one_page(named, request.page_size, request.page_token)
        return wire.ListCryptoKeysResponse(crypto_keys=page, next_page_token=token, total_size=len(page))

    async def update_primary(self, request: Message) -> Message:
        """Let another enabled version encrypt from now on."""
        key = self._key(request.name)
        if key.signs:
            message = "A key that signs has no primary version."
            raise invalid(message)
        version = key.version(_number(request.crypto_key_version_id))
        version.demand_enabled()
        key.primary = version.number
        self._keep()
        return key.shown()

    # --- versions

    async def create_version(self, request: Message) -> Message:
        """Make another version; it does not become primary."""
        version = self._key(request.parent).add_version(self._world.clock.now())
        self._keep()
        return version.message

    async def get_version(self, request: Message) -> Message:
        """One version."""
        return self._version(request.name)[1].message

    async def list_versions(self, request: Message) -> Message:
        """The versions of a key."""
        versions = self._key(request.parent).versions.values()
        named = ((f"{version.number:09d}", version.message) for version in versions)
        page, token = one_page(named, request.page_size, request.page_token)
        return wire.ListCryptoKeyVersionsResponse(
            crypto_key_versions=page, next_page_token=token, total_size=len(versions)
        )

    async def update_version(self, request: Message) -> Message:
        """Enable or disable."""
        _, version = self._version(request.crypto_key_version.name)
        wanted = request.crypto_key_version.state
        if list(request.update_mask.paths) != ["state"] or wanted not in {State.ENABLED, State.DISABLED}:
            message = "Only the state can be updated, to ENABLED or DISABLED."
            raise invalid(message)
        if version.message.state not in {State.ENABLED, State.DISABLED}:
            message = f"{version.message.name} is in state {State(version.message.state).name}."
            raise wrong_state(message)
        version.message.state = wanted
        self._keep()
        return version.message

    async def destroy_version(self, request: Message) -> Message:
        """Schedule the end of a version's material."""
        key, version = self._version(request.name)
        key.schedule_destruction(version, self._world.clock.now())
        self._keep()
        return version.message

    async def restore_version(self, request: Message) -> Message:
        """Call the scheduled end off; the version is disabled afterwards."""
        _, version = self._version(request.name)
        if version.message.state != State.DESTROY_SCHEDULED:
            message = f"{version.message.name} is not scheduled for destruction."
            raise wrong_state(message)
        version.message.state = State.DISABLED
        version.message.ClearField("destroy_time")
        self._keep()
        return version.message

    # --- encryption

    async def encrypt(self, request: Message) -> Message:
        """Encrypt under a key's primary version, or under the version named."""
        for field in ("plaintext", "additional_authenticated_data"):
            check_size(request, field)
        is_plaintext_verified = is_verified(request, "plaintext")
        is_additional_verified = is_verified(request, "additional_authenticated_data")
        key, version = self._encrypting(request.name)
        place = (key.message.name, version.number)
        ciphertext = seal(request.plaintext, request.additional_authenticated_data, place, version.demand_enabled())
        return wire.EncryptResponse(
            name=version.message.name,
            ciphertext=ciphertext,
            ciphertext_crc32c={"value": crc32c(ciphertext)},
            verified_plaintext_crc32c=is_plaintext_verified,
            verified_additional_authenticated_data_crc32c=is_additional_verified,
            protection_level=SOFTWARE,
        )

    async def decrypt(self, request: Message) -> Message:
        """Decrypt with the version that the ciphertext names."""
        check_size(request, "ciphertext", CIPHERTEXT_BYTES)
        check_size(request, "additional_authenticated_data")
        for field in ("ciphertext", "additional_authenticated_data"):
            is_verified(request, field)
        key = self._key(request.name)
        try:
            envelope = open_envelope(request.ciphertext, request.name)
            version = key.version(envelope.version)
            plaintext = unseal(envelope, request.additional_authenticated_data, version.demand_enabled())
        except Unreadable as unreadable:
            message = "Decryption failed: verify that 'name' refers to the correct CryptoKey."
            raise invalid(message) from unreadable
        return wire.DecryptResponse(
            plaintext=plaintext,
            plaintext_crc32c={"value": crc32c(plaintext)},
            used_primary=version.number == key.primary,
            protection_level=SOFTWARE,
        )

    # --- signing

    async def sign(self, request: Message) -> Message:
        """Sign a SHA-256 digest with the version named."""
        version = self._signing(request.name)
        digest = request.digest.sha256
        if len(digest) != DIGEST_BYTES:
            message = "Only a digest made with SHA-256 is signed here: 32 bytes."
            raise invalid(message)
        is_digest_verified = request.HasField("digest_crc32c")
        if is_digest_verified and request.digest_crc32c.value != crc32c(digest):
            message = "The checksum in field digest_crc32c did not match the data in field digest."
            raise invalid(message)
        signature = sign_digest(digest, version.demand_enabled())
        return wire.AsymmetricSignResponse(
            name=version.message.name,
            signature=signature,
            signature_crc32c={"value": crc32c(signature)},
            verified_digest_crc32c=is_digest_verified,
            protection_level=SOFTWARE,
        )

    async def public_key(self, request: Message) -> Message:
        """The public key of a version that signs."""
        version = self._signing(request.name)
        pem = public_pem(version.demand_enabled())
        return wire.PublicKey(
            name=version.message.name,
            pem=pem,
            pem_crc32c={"value": crc32c(pem.encode())},
            algorithm=version.message.algorithm,
            protection_level=SOFTWARE,
        )

    # --- within

    def _signing(self, name: str) -> Version:
        key, version = self._version(name)
        if not key.signs:
            message = f"{name} does not sign."
            raise invalid(message)
        return version

    def _encrypting(self, name: str) -> tuple[Key, Version]:
        if "/cryptoKeyVersions/" in name:
            key, version = self._version(name)
        else:
            key = self._key(name)
            version = key.primary_version()
        if key.signs:
            message = f"{name} does not encrypt."
            raise invalid(message)
        return key, version

    def _ring(self, name: str) -> Message:
        if name not in self._rings:
            message = f"KeyRing {name} not found."
            raise not_found(message)
        ring = wire.KeyRing(name=name)
        ring.create_time.FromSeconds(self._rings[name])
        return ring

    def _key(self, name: str) -> Key:
        self._pass_time()
        if name not in self._keys:
            message = f"CryptoKey {name} not found."
            raise not_found(message)
        return self._keys[name]

    def _version(self, name: str) -> tuple[Key, Version]:
        parent, _, number = name.partition("/cryptoKeyVersions/")
        key = self._key(parent)
        return key, key.version(_number(number))

    def _pass_time(self) -> None:
        if pass_time(self._keys.values(), self._world.clock.now()):
            self._keep()

    def _keep(self) -> None:
        rows = [key.as_json() for key in self._keys.values()]
        self._world.state.keep(SECTION, {"rings": self._rings, "keys": rows})


def _described(asked: Message, name: str) -> Message:
    if asked.purpose not in {PURPOSE.ENCRYPT_DECRYPT, PURPOSE.ASYMMETRIC_SIGN}:
        message = "Only keys with the purpose ENCRYPT_DECRYPT or ASYMMETRIC_SIGN are emulated."
        raise not_emulated(message)
    if asked.HasField("rotation_period") and not asked.HasField("next_rotation_time"):
        message = "next_rotation_time must be set when rotation_period is."
        raise invalid(message)
    key = wire.CryptoKey()
    key.CopyFrom(asked)
    key.name = name
    key.version_template.protection_level = SOFTWARE
    key.version_template.algorithm = _algorithm(asked)
    if key.destroy_scheduled_duration.ToTimedelta() == timedelta():
        key.destroy_scheduled_duration.FromTimedelta(DESTROY_AFTER)
    return key


def _algorithm(asked: Message) -> int:
    """The algorithm of a key's versions; one that signs must name it, and cannot rotate by itself."""
    if asked.purpose == PURPOSE.ENCRYPT_DECRYPT:
        return int(SYMMETRIC)
    if asked.HasField("rotation_period"):
        message = "Automatic rotation is for keys that encrypt."
        raise invalid(message)
    if not asked.version_template.algorithm:
        message = "version_template.algorithm must be set."
        raise invalid(message)
    if asked.version_template.algorithm != SIGNING_ALGORITHM:
        message = "Only EC_SIGN_P256_SHA256 is emulated."
        raise not_emulated(message)
    return int(SIGNING_ALGORITHM)


def _checked_id(text: str) -> str:
    if not ID.fullmatch(text):
        message = "An id is 1 to 63 letters, digits, hyphens or underscores."
        raise invalid(message)
    return text


def _number(text: str) -> int:
    if not text.isdecimal():
        message = "A version's id is its number."
        raise invalid(message)
    return int(text)
