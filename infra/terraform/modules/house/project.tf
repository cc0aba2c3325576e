# What the project needs before anything else: its APIs, and where bundles and images are kept.

data "google_project" "project" {
  project_id = var.project
}

locals {
  pubsub_agent = "service-${data.google_project.project.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

module "services" {
  source  = "../services"
  project = var.project
  services = [
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudkms.googleapis.com",
    "cloudscheduler.googleapis.com",
    "cloudtasks.googleapis.com",
    "compute.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
  ]
}

module "artifacts" {
  source     = "../artifacts"
  project    = var.project
  region     = var.region
  depends_on = [module.services]
}
