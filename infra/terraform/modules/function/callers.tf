# Who may call. A public door's lock is the API key or the partner's signature, checked in its code: the platform lets
# everyone through that comes by the load balancer. A private door opens to its callers' accounts only, and checks their token again.

locals {
  # The resource name of the Cloud Run service underneath ends in the service's own name.
  service = element(reverse(split("/", google_cloudfunctions2_function.function.service_config[0].service)), 0)
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  count    = var.public ? 1 : 0
  project  = var.project
  location = var.region
  name     = local.service
  role     = "roles/run.invoker"
  member   = "allUsers"
}

resource "google_cloud_run_v2_service_iam_member" "caller" {
  for_each = var.public ? {} : var.callers
  project  = var.project
  location = var.region
  name     = local.service
  role     = "roles/run.invoker"
  member   = "serviceAccount:${each.value}"
}
