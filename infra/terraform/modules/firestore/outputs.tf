output "database" {
  description = "The database."
  value       = google_firestore_database.database
}

output "users" {
  description = "Functions that may read and write, with the condition that narrows each to this database."
  value       = { for name, grant in google_project_iam_member.user : name => one(grant.condition).expression }
}

output "gone_after_days" {
  description = "Days after which what was deleted here can be read back by nobody: recovery window or backups, whichever lasts longer."
  value       = max(var.backup_days, var.point_in_time_recovery ? 7 : 1)
}
