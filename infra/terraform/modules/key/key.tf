# The key that never leaves Cloud KMS. It wraps tenants' keys, nothing else; destroying it makes all personal data unreadable.

variable "project" {
  description = "Project id."
  type        = string
}

variable "region" {
  description = "Region of the key ring."
  type        = string
}

variable "ring" {
  description = "Name of the key ring."
  type        = string
}

variable "name" {
  description = "Name of the key."
  type        = string
}

variable "rotation_days" {
  description = "A new primary version is made every so many days; old versions go on decrypting."
  type        = number

  validation {
    condition     = var.rotation_days >= 1
    error_message = "A key rotates at most once a day."
  }
}

variable "destroy_after_days" {
  description = "A version marked for destruction can be restored for so many days. Fixed when the key is made."
  type        = number

  validation {
    condition     = var.destroy_after_days >= 1 && var.destroy_after_days <= 120
    error_message = "Cloud KMS destroys a version after 1 to 120 days."
  }
}

variable "users" {
  description = "Functions (name, account's e-mail) that may encrypt and decrypt."
  type        = map(string)
}

resource "google_kms_key_ring" "ring" {
  project  = var.project
  location = var.region
  name     = var.ring
}

resource "google_kms_crypto_key" "key" {
  key_ring                   = google_kms_key_ring.ring.id
  name                       = var.name
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = "${var.rotation_days * 86400}s"
  destroy_scheduled_duration = "${var.destroy_after_days * 86400}s"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "user" {
  for_each      = var.users
  crypto_key_id = google_kms_crypto_key.key.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${each.value}"
}

output "key" {
  description = "The key."
  value       = google_kms_crypto_key.key
}

output "ring" {
  description = "Id of the key ring."
  value       = google_kms_key_ring.ring.id
}

output "users" {
  description = "Functions that may encrypt and decrypt."
  value       = keys(google_kms_crypto_key_iam_member.user)
}
