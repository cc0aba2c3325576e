variable "project" {
  description = "Project id."
  type        = string
}

variable "region" {
  description = "The one region of functions, queues, databases, keys and secrets."
  type        = string
}

variable "domain" {
  description = "The API's host name, such as api.example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain))
    error_message = "The domain is a plain host name."
  }
}

variable "bundles" {
  description = "SHA-256 of each function's bundle, as `make build` writes it to build/bundles/bundles.tfvars.json."
  type        = map(string)
}

variable "bundles_folder" {
  description = "Folder on this machine that holds {function}.zip."
  type        = string
}

variable "protected" {
  description = "Whether databases refuse to be deleted."
  type        = bool
}

variable "backup_days" {
  description = "Days that daily backups of the books are kept."
  type        = number
}

variable "keyset_backup_days" {
  description = "Days that daily backups of the keysets are kept: the time after which deleting a person's keyset is final."
  type        = number
}

variable "key_rotation_days" {
  description = "Days between new versions of the platform's key."
  type        = number
}

variable "key_destroy_after_days" {
  description = "Days in which a destroyed version of the platform's key can still be restored."
  type        = number
}

variable "seal_key_version" {
  description = "Number of the version that signs seals; its public key is with the auditors before it is named here."
  type        = number
  default     = 1
}

variable "keep_warm" {
  description = "Whether functions keep the min_instances of the catalogue; otherwise all go to zero when idle."
  type        = bool
}

variable "alert_mails" {
  description = "Addresses that every alert is sent to."
  type        = set(string)

  validation {
    condition     = alltrue([for mail in var.alert_mails : can(regex("^[^@ ]+@[^@ ]+$", mail))])
    error_message = "An address has an @ in it."
  }
}
