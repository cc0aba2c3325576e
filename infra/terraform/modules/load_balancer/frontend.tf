# The one address on the internet: HTTPS only, TLS 1.2 or newer. Nothing listens on port 80.

resource "google_compute_global_address" "address" {
  project = var.project
  name    = var.name
}

resource "google_compute_managed_ssl_certificate" "certificate" {
  project = var.project
  name    = "${var.name}-${replace(var.domain, ".", "-")}"

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_ssl_policy" "modern" {
  project         = var.project
  name            = var.name
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "proxy" {
  project          = var.project
  name             = var.name
  url_map          = google_compute_url_map.doors.id
  ssl_certificates = [google_compute_managed_ssl_certificate.certificate.id]
  ssl_policy       = google_compute_ssl_policy.modern.id
}

resource "google_compute_global_forwarding_rule" "https" {
  project               = var.project
  name                  = var.name
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.address.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.proxy.id
}
