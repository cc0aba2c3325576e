# Queues of commands, topics of announcements with their listeners, and jobs.

module "queue" {
  source   = "../queue"
  for_each = local.catalogue.queues

  project    = var.project
  region     = var.region
  name       = each.key
  settings   = each.value
  senders    = local.holders["tasks"]
  depends_on = [module.services]
}

module "topic" {
  source   = "../topic"
  for_each = local.catalogue.topics

  project    = var.project
  region     = var.region
  name       = each.key
  publishers = local.holders["events"]
  depends_on = [module.services]
}

module "subscription" {
  source   = "../subscription"
  for_each = local.catalogue.subscriptions

  project    = var.project
  region     = var.region
  name       = each.key
  topic      = module.topic[each.value.topic].topic.id
  endpoint   = "${local.doors_url}/${each.value.function}"
  caller     = module.caller["events"].email
  agent      = local.pubsub_agent
  settings   = each.value
  depends_on = [module.function]
}

module "job" {
  source   = "../job"
  for_each = local.catalogue.jobs

  project          = var.project
  region           = var.region
  name             = each.key
  cron             = each.value.cron
  zone             = each.value.zone
  endpoint         = "${local.doors_url}/${each.value.function}"
  caller           = module.caller["scheduler"].email
  deadline_seconds = local.functions[each.value.function].timeout_seconds
  depends_on       = [module.function]
}
