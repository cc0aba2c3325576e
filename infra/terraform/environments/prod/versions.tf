terraform {
  required_version = ">= 1.11"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
  }

  # The bucket is named at init: terraform init -backend-config=bucket=...
  backend "gcs" {
    prefix = "daybook"
  }
}

provider "google" {
  project = var.project
  region  = var.region
}
