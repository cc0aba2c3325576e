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
    project = "daybook-dev"
    domain  = "api.example.com"
    bundles = run.catalogue.bundles
  }

  assert {
    condition     = output.shredding_final_after_days == 1
    error_message = "Development forgets within a day: there are no backups to wait for."
  }

  assert {
    condition     = output.paths["receive_webhook"] == ["/v1/webhooks", "/v1/webhooks/*"]
    error_message = "Partners reach the webhook door."
  }
}
