# One Firestore database, its backups, and who may read and write it.

resource "google_firestore_database" "database" {
  project                           = var.project
  name                              = var.name
  location_id                       = var.region
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "PESSIMISTIC"
  point_in_time_recovery_enablement = var.point_in_time_recovery ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = var.protected ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.protected ? "ABANDON" : "DELETE"
}

resource "google_firestore_backup_schedule" "daily" {
  count     = var.backup_days > 0 ? 1 : 0
  project   = var.project
  database  = google_firestore_database.database.name
  retention = "${var.backup_days * 86400}s"

  daily_recurrence {}
}

# Firestore has no policy of its own: the project's role, narrowed to this database.
resource "google_project_iam_member" "user" {
  for_each = var.users
  project  = var.project
  role     = "roles/datastore.user"
  member   = "serviceAccount:${each.value}"

  condition {
    title      = "Database ${var.name}"
    expression = "resource.name == \"projects/${var.project}/databases/${var.name}\""
  }
}
