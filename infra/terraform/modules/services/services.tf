# The Google APIs that the project uses. They stay on when Daybook is destroyed: others may use them.

variable "project" {
  description = "Project id."
  type        = string
}

variable "services" {
  description = "API names, such as run.googleapis.com."
  type        = set(string)
}

resource "google_project_service" "service" {
  for_each           = var.services
  project            = var.project
  service            = each.key
  disable_on_destroy = false
}

output "services" {
  description = "The APIs that are on."
  value       = keys(google_project_service.service)
}
