# One door: its bundle, the function, and who may call it.

resource "google_storage_bucket_object" "bundle" {
  bucket = var.source_bundle.bucket
  name   = "${var.name}/${var.source_bundle.sha256}.zip"
  source = var.source_bundle.file
}

resource "google_cloudfunctions2_function" "function" {
  project  = var.project
  location = var.region
  name     = var.name

  build_config {
    runtime           = var.runtime
    entry_point       = var.name
    service_account   = var.builder
    docker_repository = var.repository

    source {
      storage_source {
        bucket = google_storage_bucket_object.bundle.bucket
        object = google_storage_bucket_object.bundle.name
      }
    }
  }

  service_config {
    service_account_email            = var.account
    available_memory                 = var.settings.memory
    available_cpu                    = tostring(var.settings.cpu)
    max_instance_request_concurrency = var.settings.concurrency
    timeout_seconds                  = var.settings.timeout_seconds
    min_instance_count               = var.settings.min_instances
    max_instance_count               = var.settings.max_instances
    ingress_settings                 = var.public ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_INTERNAL_ONLY"
    # The server takes as many requests at once as the platform sends; it would take four a CPU by itself.
    environment_variables = merge(var.environment, { THREADS = tostring(var.settings.concurrency) })
  }
}
