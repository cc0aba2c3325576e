"""Cloud Scheduler: jobs that call doors by the calendar of their own time zone."""
