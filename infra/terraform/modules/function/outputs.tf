output "function" {
  description = "The function."
  value       = google_cloudfunctions2_function.function
}

output "service" {
  description = "Name of the Cloud Run service underneath."
  value       = local.service
}

output "invokers" {
  description = "Members that may call it."
  value = concat(
    [for grant in google_cloud_run_v2_service_iam_member.public : grant.member],
    [for grant in google_cloud_run_v2_service_iam_member.caller : grant.member],
  )
}
