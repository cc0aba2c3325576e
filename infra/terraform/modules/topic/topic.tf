# One topic of announcements, the topic where undeliverable ones wait for an operator, and who may publish.

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

variable "agent" {
  description = "E-mail of Pub/Sub's own agent, which moves undeliverable messages."
  type        = string
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

resource "google_pubsub_topic" "undeliverable" {
  project                    = var.project
  name                       = "${var.name}-undeliverable"
  message_retention_duration = "2678400s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_topic_iam_member" "mover" {
  project = var.project
  topic   = google_pubsub_topic.undeliverable.name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:${var.agent}"
}

# Without a subscription a topic forgets: this one keeps what could not be delivered until someone looks.
resource "google_pubsub_subscription" "undeliverable" {
  project                    = var.project
  name                       = "${var.name}-undeliverable"
  topic                      = google_pubsub_topic.undeliverable.id
  message_retention_duration = "2678400s"
  ack_deadline_seconds       = 60

  expiration_policy {
    ttl = ""
  }
}

output "topic" {
  description = "The topic."
  value       = google_pubsub_topic.topic
}

output "undeliverable" {
  description = "Resource id of the topic of undeliverable messages."
  value       = google_pubsub_topic.undeliverable.id
}

output "publishers" {
  description = "Functions that may publish."
  value       = keys(google_pubsub_topic_iam_member.publisher)
}
