output "address" {
  description = "The IP address that the domain's DNS must name."
  value       = google_compute_global_address.address.address
}

output "port" {
  description = "The only port that listens."
  value       = google_compute_global_forwarding_rule.https.port_range
}

output "paths" {
  description = "Which function serves which paths."
  value       = { for name, door in var.doors : name => [door.path, "${door.path}/*"] }
}
