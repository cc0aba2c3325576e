# A digest for every function of the catalogue, as `make build` would give.

output "bundles" {
  value = { for name, function in yamldecode(file("${path.module}/../../../../../../functions/catalogue.yaml")).functions : name => sha256(name) }
}

output "catalogue" {
  value = yamldecode(file("${path.module}/../../../../../../functions/catalogue.yaml"))
}
