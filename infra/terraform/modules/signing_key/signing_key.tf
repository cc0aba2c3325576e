# The key that signs seals. Whoever verifies keeps its public half: `gcloud kms keys versions get-public-key`. It does not rotate
# by itself: a new version is made by hand, its public key handed out, and then the setting names it.

variable "ring" {
  description = "Id of the key ring."
  type        = string
}

variable "name" {
  description = "Name of the key."
  type        = string
}

variable "destroy_after_days" {
  description = "A version marked for destruction can be restored for so many days. Fixed when the key is made."
  type        = number

  validation {
    condition     = var.destroy_after_days >= 1 && var.destroy_after_days <= 120
    error_message = "Cloud KMS destroys a version after 1 to 120 days."
  }
}

variable "signers" {
  description = "Functions (name, account's e-mail) that may sign."
  type        = map(string)
}

resource "google_kms_crypto_key" "key" {
  key_ring                   = var.ring
  name                       = var.name
  purpose                    = "ASYMMETRIC_SIGN"
  destroy_scheduled_duration = "${var.destroy_after_days * 86400}s"

  version_template {
    algorithm = "EC_SIGN_P256_SHA256"
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "signer" {
  for_each      = var.signers
  crypto_key_id = google_kms_crypto_key.key.id
  role          = "roles/cloudkms.signer"
  member        = "serviceAccount:${each.value}"
}

output "key" {
  description = "The key."
  value       = google_kms_crypto_key.key
}

output "signers" {
  description = "Functions that may sign."
  value       = keys(google_kms_crypto_key_iam_member.signer)
}
