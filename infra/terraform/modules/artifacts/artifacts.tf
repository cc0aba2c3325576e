# Where bundles wait to be built and images wait to be run, and the one account that builds.

resource "google_storage_bucket" "bundles" {
  project                     = var.project
  name                        = "${var.project}-daybook-bundles"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 90
    }
  }
}

resource "google_artifact_registry_repository" "images" {
  project       = var.project
  location      = var.region
  repository_id = "daybook-functions"
  description   = "Images built from the functions' bundles"
  format        = "DOCKER"

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }

  cleanup_policies {
    id     = "drop-old"
    action = "DELETE"
    condition {
      older_than = "7776000s"
    }
  }
}

resource "google_service_account" "builder" {
  project      = var.project
  account_id   = "daybook-builder"
  display_name = "Builds functions from their bundles"
}

# The platform copies a bundle into a bucket of its own before the build, hence the project's and not the bucket's role.
resource "google_project_iam_member" "builder" {
  for_each = toset(["roles/logging.logWriter", "roles/storage.objectViewer"])
  project  = var.project
  role     = each.key
  member   = "serviceAccount:${google_service_account.builder.email}"
}

resource "google_artifact_registry_repository_iam_member" "builder" {
  project    = var.project
  location   = var.region
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = "serviceAccount:${google_service_account.builder.email}"
}
