# One service account: a function's own, or one whose tokens open private doors (Cloud Tasks', Cloud Scheduler's, Pub/Sub's).

variable "project" {
  description = "Project id."
  type        = string
}

variable "name" {
  description = "What stands before the @ of its e-mail."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{4,28})[a-z0-9]$", var.name))
    error_message = "An account's name is 6 to 30 lower-case letters, digits and dashes."
  }
}

variable "description" {
  description = "What it is for."
  type        = string
}

variable "users" {
  description = "Functions (name, account's e-mail) that may put this account on what they send: Cloud Tasks asks for it when a task is made."
  type        = map(string)
  default     = {}
}

variable "signer" {
  description = "Google's own agent that signs tokens of this account, if it needs to be told; else empty."
  type        = string
  default     = ""
}

resource "google_service_account" "account" {
  project      = var.project
  account_id   = var.name
  display_name = var.description
}

resource "google_service_account_iam_member" "user" {
  for_each           = var.users
  service_account_id = google_service_account.account.name
  role               = "roles/iam.serviceAccountUser"
  member             = "serviceAccount:${each.value}"
}

resource "google_service_account_iam_member" "signer" {
  count              = var.signer == "" ? 0 : 1
  service_account_id = google_service_account.account.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = "serviceAccount:${var.signer}"
}

output "email" {
  description = "The account's e-mail."
  value       = google_service_account.account.email
}

output "users" {
  description = "Functions that may put this account on what they send."
  value       = keys(google_service_account_iam_member.user)
}
