"""The raw protobuf classes of google.cloud.kms.v1."""

from google.cloud import kms_v1

SERVICE = "google.cloud.kms.v1.KeyManagementService"

KeyRing = kms_v1.KeyRing.pb()
CryptoKey = kms_v1.CryptoKey.pb()
CryptoKeyVersion = kms_v1.CryptoKeyVersion.pb()
CreateKeyRingRequest = kms_v1.CreateKeyRingRequest.pb()
GetKeyRingRequest = kms_v1.GetKeyRingRequest.pb()
ListKeyRingsRequest = kms_v1.ListKeyRingsRequest.pb()
ListKeyRingsResponse = kms_v1.ListKeyRingsResponse.pb()
CreateCryptoKeyRequest = kms_v1.CreateCryptoKeyRequest.pb()
GetCryptoKeyRequest = kms_v1.GetCryptoKeyRequest.pb()
ListCryptoKeysRequest = kms_v1.ListCryptoKeysRequest.pb()
ListCryptoKeysResponse = kms_v1.ListCryptoKeysResponse.pb()
UpdateCryptoKeyPrimaryVersionRequest = kms_v1.UpdateCryptoKeyPrimaryVersionRequest.pb()
CreateCryptoKeyVersionRequest = kms_v1.CreateCryptoKeyVersionRequest.pb()
GetCryptoKeyVersionRequest = kms_v1.GetCryptoKeyVersionRequest.pb()
ListCryptoKeyVersionsRequest = kms_v1.ListCryptoKeyVersionsRequest.pb()
ListCryptoKeyVersionsResponse = kms_v1.ListCryptoKeyVersionsResponse.pb()
UpdateCryptoKeyVersionRequest = kms_v1.UpdateCryptoKeyVersionRequest.pb()
DestroyCryptoKeyVersionRequest = kms_v1.DestroyCryptoKeyVersionRequest.pb()
RestoreCryptoKeyVersionRequest = kms_v1.RestoreCryptoKeyVersionRequest.pb()
EncryptRequest = kms_v1.EncryptRequest.pb()
EncryptResponse = kms_v1.EncryptResponse.pb()
DecryptRequest = kms_v1.DecryptRequest.pb()
DecryptResponse = kms_v1.DecryptResponse.pb()
AsymmetricSignRequest = kms_v1.AsymmetricSignRequest.pb()
AsymmetricSignResponse = kms_v1.AsymmetricSignResponse.pb()
GetPublicKeyRequest = kms_v1.GetPublicKeyRequest.pb()
PublicKey = kms_v1.PublicKey.pb()
