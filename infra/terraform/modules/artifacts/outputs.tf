output "bucket" {
  description = "Name of the bucket that holds the bundles."
  value       = google_storage_bucket.bundles.name
}

output "repository" {
  description = "Resource id of the image repository."
  value       = google_artifact_registry_repository.images.id
}

output "builder" {
  description = "Resource id of the account that builds; ready once its roles are given."
  value       = google_service_account.builder.id
  depends_on  = [google_project_iam_member.builder, google_artifact_registry_repository_iam_member.builder]
}
