output "functions" {
  description = "Every function: where it answers, who may call it."
  value = {
    for name, door in module.function : name => {
      ingress  = door.function.service_config[0].ingress_settings
      runtime  = door.function.build_config[0].runtime
      entry    = door.function.build_config[0].entry_point
      settings = door.function.service_config[0]
      source   = door.function.build_config[0].source[0].storage_source[0].object
      invokers = door.invokers
    }
  }

  precondition {
    condition     = alltrue([for function in local.functions : length(setsubtract(function.roles, local.roles)) == 0])
    error_message = "The catalogue names a role that no module grants."
  }
}

output "paths" {
  description = "Public paths by function."
  value       = module.load_balancer.paths
}

output "address" {
  description = "The IP address that the domain's DNS must name."
  value       = module.load_balancer.address
}

output "queues" {
  description = "Queues with their senders."
  value       = { for name, queue in module.queue : name => { queue = queue.queue, senders = queue.senders } }
}

output "topics" {
  description = "Topics with their publishers."
  value       = { for name, topic in module.topic : name => { topic = topic.topic, publishers = topic.publishers } }
}

output "subscriptions" {
  description = "Listeners."
  value       = { for name, listener in module.subscription : name => listener.subscription }
}

output "jobs" {
  description = "Jobs."
  value       = { for name, job in module.job : name => job.job }
}

output "databases" {
  description = "Databases: who may use each, and when what is deleted in it is gone for good."
  value = {
    for name, database in { books = module.books, keysets = module.keysets } : name => {
      database                    = database.database
      users                       = database.users
      gone_after_days             = database.gone_after_days
    }
  }
}

output "key" {
  description = "The platform's key and who may use it."
  value       = { key = module.key.key, users = module.key.users }
}

output "seal_key" {
  description = "The key that signs seals, and who may sign."
  value       = { key = module.signing_key.key, signers = module.signing_key.signers, version = local.seal_key_version }
}

output "secrets" {
  description = "Secrets with a place, who reads which, and the conditions of families."
  value       = { names = module.secrets.secrets, readers = module.secrets.readers, families = module.secrets.families }
}

output "task_senders" {
  description = "Functions that may put the tasks' account on a task."
  value       = module.caller["tasks"].users
}

output "alerts" {
  description = "The alerts: what each waits for in the logs, and whom it tells."
  value = {
    for name, alert in module.alert : name => {
      filter = alert.policy.conditions[0].condition_matched_log[0].filter
      tells  = alert.policy.notification_channels
    }
  }
}
