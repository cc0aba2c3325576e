# Secrets' places; their values are added by operators and never pass through Terraform.
# A name that ends in * stands for a family whose members operators create (`webhook-*`: one a tenant and partner).

variable "project" {
  description = "Project id."
  type        = string
}

variable "project_number" {
  description = "Project number: conditions on secrets name the project by it."
  type        = string
}

variable "region" {
  description = "The only region that values are kept in."
  type        = string
}

variable "names" {
  description = "Secrets and families (ending in *)."
  type        = set(string)

  validation {
    condition     = alltrue([for name in var.names : can(regex("^[a-z][a-z0-9-]*\\*?$", name))])
    error_message = "A secret's name is lower-case letters, digits and dashes, with * only at the end."
  }
}

variable "readers" {
  description = "Who reads what: `{function}/{secret or family}` to the secret's name and the function's account."
  type        = map(object({ secret = string, account = string }))
}

locals {
  singles  = toset([for name in var.names : name if !endswith(name, "*")])
  prefixes = { for name in var.names : name => trimsuffix(name, "*") if endswith(name, "*") }

  # The values, and the list of live versions: a rotated secret is read newest first.
  rights = ["roles/secretmanager.secretAccessor", "roles/secretmanager.viewer"]
  grants = merge([for key, reader in var.readers : { for role in local.rights : "${key}/${role}" => merge(reader, { role = role }) }]...)
}

resource "google_secret_manager_secret" "secret" {
  for_each  = local.singles
  project   = var.project
  secret_id = each.key

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each  = { for key, grant in local.grants : key => grant if contains(local.singles, grant.secret) }
  project   = var.project
  secret_id = google_secret_manager_secret.secret[each.value.secret].secret_id
  role      = each.value.role
  member    = "serviceAccount:${each.value.account}"
}

resource "google_project_iam_member" "family_reader" {
  for_each = { for key, grant in local.grants : key => grant if contains(keys(local.prefixes), grant.secret) }
  project  = var.project
  role     = each.value.role
  member   = "serviceAccount:${each.value.account}"

  condition {
    title      = "Secrets ${each.value.secret}"
    expression = "resource.name.startsWith(\"projects/${var.project_number}/secrets/${local.prefixes[each.value.secret]}\")"
  }
}

output "secrets" {
  description = "The secrets that have a place."
  value       = keys(google_secret_manager_secret.secret)
}

output "readers" {
  description = "Who reads what, as `{function}/{secret}/{role}`."
  value       = concat(keys(google_secret_manager_secret_iam_member.reader), keys(google_project_iam_member.family_reader))
}

output "families" {
  description = "The condition of each family's readers."
  value       = { for key, grant in google_project_iam_member.family_reader : key => one(grant.condition).expression }
}
