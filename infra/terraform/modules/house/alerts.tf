# What wants a person: each line of the logs that the catalogue names, and who is told of it.

resource "google_monitoring_notification_channel" "mail" {
  for_each     = var.alert_mails
  project      = var.project
  display_name = "Daybook's alerts"
  type         = "email"
  labels       = { email_address = each.key }
  depends_on   = [module.services]
}

module "alert" {
  source   = "../alert"
  for_each = local.catalogue.alerts

  project    = var.project
  name       = each.key
  means      = each.value
  channels   = [for channel in google_monitoring_notification_channel.mail : channel.name]
  depends_on = [module.services]
}
