# One thing that wants a person: a line in the functions' logs, and whom it wakes.

variable "project" {
  description = "Project id."
  type        = string
}

variable "name" {
  description = "The alert's key in the catalogue: the log line's message."
  type        = string
}

variable "means" {
  description = "What has happened and where to look, for whoever is woken."
  type        = string
}

variable "channels" {
  description = "Notification channels by name."
  type        = list(string)
}

resource "google_monitoring_alert_policy" "alert" {
  project               = var.project
  display_name          = "daybook ${var.name}"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = var.channels

  conditions {
    display_name = var.name
    condition_matched_log {
      filter = "resource.type=\"cloud_run_revision\" severity>=ERROR jsonPayload.message=\"${var.name}\""
    }
  }

  # The same again within the hour is the same.
  alert_strategy {
    auto_close = "604800s"
    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    content   = var.means
    mime_type = "text/markdown"
  }
}

output "policy" {
  description = "The policy."
  value       = google_monitoring_alert_policy.alert
}
