# Each public function as a backend, and the map from paths to them.

resource "google_compute_region_network_endpoint_group" "door" {
  for_each              = var.doors
  project               = var.project
  region                = var.region
  name                  = "${var.name}-${replace(each.key, "_", "-")}"
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = each.value.service
  }
}

resource "google_compute_backend_service" "door" {
  for_each              = var.doors
  project               = var.project
  name                  = "${var.name}-${replace(each.key, "_", "-")}"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"

  backend {
    group = google_compute_region_network_endpoint_group.door[each.key].id
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}

resource "google_compute_url_map" "doors" {
  project = var.project
  name    = var.name

  # A path that is nobody's gets the API's own "not found" from whichever door comes first.
  default_service = google_compute_backend_service.door[sort(keys(var.doors))[0]].id

  host_rule {
    hosts        = [var.domain]
    path_matcher = "doors"
  }

  path_matcher {
    name            = "doors"
    default_service = google_compute_backend_service.door[sort(keys(var.doors))[0]].id

    dynamic "path_rule" {
      for_each = var.doors
      content {
        paths   = [path_rule.value.path, "${path_rule.value.path}/*"]
        service = google_compute_backend_service.door[path_rule.key].id
      }
    }
  }
}
