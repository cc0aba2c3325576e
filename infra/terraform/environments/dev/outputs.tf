output "address" {
  description = "The IP address that the domain's DNS must name."
  value       = module.house.address
}

output "paths" {
  description = "Public paths by function."
  value       = module.house.paths
}

output "shredding_final_after_days" {
  description = "Days after which a deleted keyset, and so the person's data, can be brought back by nobody."
  value       = module.house.databases["keysets"].gone_after_days
}
