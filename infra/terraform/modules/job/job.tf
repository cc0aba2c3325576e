# One job: a door called at the times that a cron line and a zone name.

variable "project" {
  description = "Project id."
  type        = string
}

variable "region" {
  description = "Region of the job."
  type        = string
}

variable "name" {
  description = "The job's key in the catalogue."
  type        = string
}

variable "cron" {
  description = "Unix cron line."
  type        = string
}

variable "zone" {
  description = "Time zone of the cron line, as in the tz database."
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

variable "deadline_seconds" {
  description = "How long an attempt may take: the door's own timeout, at least Scheduler's minimum of 15."
  type        = number
}

resource "google_cloud_scheduler_job" "job" {
  project          = var.project
  region           = var.region
  name             = var.name
  schedule         = var.cron
  time_zone        = var.zone
  attempt_deadline = "${max(var.deadline_seconds, 15)}s"

  retry_config {
    retry_count          = 5
    min_backoff_duration = "5s"
    max_backoff_duration = "60s"
  }

  http_target {
    http_method = "POST"
    uri         = var.endpoint
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode(jsonencode({ job = var.name }))
    oidc_token {
      service_account_email = var.caller
      audience              = var.endpoint
    }
  }
}

output "job" {
  description = "The job."
  value       = google_cloud_scheduler_job.job
}
