# One listener: pushed with a token, retried with backoff, and set aside after too many attempts, where messages wait for an operator.

variable "project" {
  description = "Project id."
  type        = string
}

variable "name" {
  description = "The subscription's key in the catalogue."
  type        = string
}

variable "topic" {
  description = "Resource id of the topic it listens to."
  type        = string
}

variable "region" {
  description = "The only region that set-aside messages are kept in."
  type        = string
}

variable "endpoint" {
  description = "The door's address; also the audience of the token."
  type        = string
}

variable "caller" {
  description = "E-mail of the account whose token opens the door."
  type        = string
}

variable "agent" {
  description = "E-mail of Pub/Sub's own agent, which moves undeliverable messages."
  type        = string
}

variable "settings" {
  description = "The subscription as the catalogue describes it."
  type = object({
    min_backoff_seconds   = number
    max_backoff_seconds   = number
    max_delivery_attempts = number
    ack_deadline_seconds  = number
  })

  validation {
    condition     = var.settings.max_delivery_attempts >= 5 && var.settings.max_delivery_attempts <= 100
    error_message = "Pub/Sub takes 5 to 100 delivery attempts."
  }
}

resource "google_pubsub_subscription" "subscription" {
  project                    = var.project
  name                       = var.name
  topic                      = var.topic
  ack_deadline_seconds       = var.settings.ack_deadline_seconds
  message_retention_duration = "604800s"

  push_config {
    push_endpoint = var.endpoint
    oidc_token {
      service_account_email = var.caller
      audience              = var.endpoint
    }
  }

  retry_policy {
    minimum_backoff = "${var.settings.min_backoff_seconds}s"
    maximum_backoff = "${var.settings.max_backoff_seconds}s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = var.settings.max_delivery_attempts
  }

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription_iam_member" "mover" {
  project      = var.project
  subscription = google_pubsub_subscription.subscription.name
  role         = "roles/pubsub.subscriber"
  member       = "serviceAccount:${var.agent}"
}

resource "google_pubsub_topic" "dead" {
  project                    = var.project
  name                       = "${var.name}-dead"
  message_retention_duration = "2678400s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_topic_iam_member" "dead_mover" {
  project = var.project
  topic   = google_pubsub_topic.dead.name
  role    = "roles/pubsub.publisher"
  member  = "serviceAccount:${var.agent}"
}

# Without a subscription a topic forgets: this one keeps what could not be delivered until someone looks.
resource "google_pubsub_subscription" "dead" {
  project                    = var.project
  name                       = "${var.name}-dead"
  topic                      = google_pubsub_topic.dead.id
  message_retention_duration = "2678400s"
  ack_deadline_seconds       = 60

  expiration_policy {
    ttl = ""
  }
}

output "subscription" {
  description = "The subscription."
  value       = google_pubsub_subscription.subscription
}
