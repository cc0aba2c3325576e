# One topic of announcements, and who may publish them.

variable "project" {
  description = "Project id."
  type        = string
}

variable "region" {
  description = "The only region that messages are kept in."
  type        = string
}

variable "name" {
  description = "The topic's key in the catalogue."
  type        = string
}

variable "publishers" {
  description = "Functions (name, account's e-mail) that may publish."
  type        = map(string)
}

resource "google_pubsub_topic" "topic" {
  project                    = var.project
  name                       = var.name
  message_retention_duration = "604800s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = var.publishers
  project  = var.project
  topic    = google_pubsub_topic.topic.name
  role     = "roles/pubsub.publisher"
  member   = "serviceAccount:${each.value}"
}

output "topic" {
  description = "The topic."
  value       = google_pubsub_topic.topic
}

output "publishers" {
  description = "Functions that may publish."
  value       = keys(google_pubsub_topic_iam_member.publisher)
}
