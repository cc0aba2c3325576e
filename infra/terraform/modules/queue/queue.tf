# One queue of commands, its pace and its patience, and who may put commands in it.

variable "project" {
  description = "Project id."
  type        = string
}

variable "region" {
  description = "Region of the queue."
  type        = string
}

variable "name" {
  description = "The queue's key in the catalogue."
  type        = string
}

variable "settings" {
  description = "The queue as the catalogue describes it."
  type = object({
    max_dispatches_per_second = number
    max_concurrent_dispatches = number
    max_attempts              = number
    min_backoff_seconds       = number
    max_backoff_seconds       = number
    max_doublings             = number
    max_retry_seconds         = number
  })

  validation {
    condition     = var.settings.max_dispatches_per_second <= 500 && var.settings.max_concurrent_dispatches <= 5000
    error_message = "A queue dispatches at most 500 tasks a second and 5,000 at once."
  }
}

variable "senders" {
  description = "Functions (name, account's e-mail) that may enqueue."
  type        = map(string)
}

resource "google_cloud_tasks_queue" "queue" {
  project  = var.project
  location = var.region
  name     = var.name

  rate_limits {
    max_dispatches_per_second = var.settings.max_dispatches_per_second
    max_concurrent_dispatches = var.settings.max_concurrent_dispatches
  }

  # A task is given up only when both the attempts and the time are used up.
  retry_config {
    max_attempts       = var.settings.max_attempts
    min_backoff        = "${var.settings.min_backoff_seconds}s"
    max_backoff        = "${var.settings.max_backoff_seconds}s"
    max_doublings      = var.settings.max_doublings
    max_retry_duration = "${var.settings.max_retry_seconds}s"
  }

  stackdriver_logging_config {
    sampling_ratio = 1
  }
}

resource "google_cloud_tasks_queue_iam_member" "sender" {
  for_each = var.senders
  project  = var.project
  location = var.region
  name     = google_cloud_tasks_queue.queue.name
  role     = "roles/cloudtasks.enqueuer"
  member   = "serviceAccount:${each.value}"
}

output "queue" {
  description = "The queue."
  value       = google_cloud_tasks_queue.queue
}

output "senders" {
  description = "Functions that may enqueue."
  value       = keys(google_cloud_tasks_queue_iam_member.sender)
}
