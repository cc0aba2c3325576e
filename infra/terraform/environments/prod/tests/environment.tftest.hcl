# The environment plans as a whole, and keeps its promise about shredding.

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

run "catalogue" {
  module {
    source = "../../modules/house/tests/bundles"
  }
}

run "environment" {
  command = plan

  variables {
    project = "daybook-prod"
    domain  = "api.example.com"
    bundles = run.catalogue.bundles
  }

  assert {
    condition     = output.shredding_final_after_days == 7
    error_message = "In production a deleted keyset is gone for good after seven days."
  }

  assert {
    condition     = output.paths["receive_webhook"] == ["/v1/webhooks", "/v1/webhooks/*"]
    error_message = "Partners reach the webhook door."
  }
}
