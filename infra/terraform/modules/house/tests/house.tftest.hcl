# The whole house against mocks of Google Cloud: what is deployed is what the catalogue says, and no more is open than it needs.

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_cloudfunctions2_function" {
    defaults = { url = "https://example.invalid" }
  }
}

variables {
  project                = "daybook-test"
  region                 = "europe-west2"
  domain                 = "api.example.com"
  bundles_folder         = "bundles"
  protected              = true
  backup_days            = 98
  keyset_backup_days     = 7
  key_rotation_days      = 90
  key_destroy_after_days = 30
  keep_warm              = true
  alert_mails            = ["ledger@example.com"]
}

run "catalogue" {
  module {
    source = "./tests/bundles"
  }
}

run "house" {
  command = plan

  variables {
    bundles = run.catalogue.bundles
  }

  assert {
    condition     = toset(keys(output.functions)) == toset(keys(run.catalogue.catalogue.functions))
    error_message = "Every function of the catalogue is deployed, and nothing else."
  }

  assert {
    condition     = alltrue([for name, function in output.functions : function.runtime == "python313" && function.entry == name])
    error_message = "A function's entry point is its name, on the runtime that the bundles are made for."
  }

  assert {
    condition     = alltrue([for name, function in output.functions : function.source == "${name}/${sha256(name)}.zip"])
    error_message = "A function is built from the bundle whose digest it was given."
  }

  assert {
    condition = alltrue([
      for name, function in output.functions : (
        can(run.catalogue.catalogue.functions[name].trigger.http)
        ? function.ingress == "ALLOW_INTERNAL_AND_GCLB" && function.invokers == ["allUsers"]
        : function.ingress == "ALLOW_INTERNAL_ONLY" && !contains(function.invokers, "allUsers") && length(function.invokers) > 0
      )
    ])
    error_message = "Public doors answer through the load balancer only; private ones from inside, to their callers."
  }

  assert {
    condition = alltrue([
      for name, means in run.catalogue.catalogue.alerts : (
        output.alerts[name].filter == "resource.type=\"cloud_run_revision\" severity>=ERROR jsonPayload.message=\"${name}\""
        && length(output.alerts[name].tells) == 1
      )
    ])
    error_message = "Every alert of the catalogue waits for its line, and somebody is told."
  }

  assert {
    condition     = toset(flatten(values(output.paths))) == toset(flatten([for function in run.catalogue.catalogue.functions : [function.trigger.http, "${function.trigger.http}/*"] if can(function.trigger.http)]))
    error_message = "Every public path reaches a door, and no private door has a path."
  }

  assert {
    condition = alltrue([
      for name, queue in run.catalogue.catalogue.queues : (
        output.queues[name].queue.rate_limits[0].max_dispatches_per_second == queue.max_dispatches_per_second
        && output.queues[name].queue.rate_limits[0].max_concurrent_dispatches == queue.max_concurrent_dispatches
        && output.queues[name].queue.retry_config[0].max_attempts == queue.max_attempts
        && output.queues[name].queue.retry_config[0].max_doublings == queue.max_doublings
        && output.queues[name].queue.retry_config[0].min_backoff == "${queue.min_backoff_seconds}s"
        && output.queues[name].queue.retry_config[0].max_backoff == "${queue.max_backoff_seconds}s"
        && output.queues[name].queue.retry_config[0].max_retry_duration == "${queue.max_retry_seconds}s"
      )
    ])
    error_message = "A queue keeps the pace and the patience of the catalogue."
  }

  assert {
    condition = alltrue([
      for queue in output.queues : toset(queue.senders) == toset([for name, function in run.catalogue.catalogue.functions : name if contains(function.roles, "tasks")])
    ])
    error_message = "Exactly the holders of the role `tasks` enqueue."
  }

  assert {
    condition     = toset(output.task_senders) == toset([for name, function in run.catalogue.catalogue.functions : name if contains(function.roles, "tasks")])
    error_message = "Whoever enqueues may put the tasks' account on a task, and nobody else."
  }

  assert {
    condition = alltrue([
      for topic in output.topics : toset(topic.publishers) == toset([for name, function in run.catalogue.catalogue.functions : name if contains(function.roles, "events")])
    ])
    error_message = "Exactly the holders of the role `events` publish."
  }

  assert {
    condition = alltrue([
      for name, listener in run.catalogue.catalogue.subscriptions : (
        output.subscriptions[name].push_config[0].push_endpoint == "https://europe-west2-daybook-test.cloudfunctions.net/${listener.function}"
        && output.subscriptions[name].push_config[0].oidc_token[0].audience == "https://europe-west2-daybook-test.cloudfunctions.net/${listener.function}"
        && output.subscriptions[name].dead_letter_policy[0].max_delivery_attempts == listener.max_delivery_attempts
        && output.subscriptions[name].retry_policy[0].maximum_backoff == "${listener.max_backoff_seconds}s"
      )
    ])
    error_message = "A listener is pushed to its door with a token for that door, and set aside after its attempts."
  }

  assert {
    condition = alltrue([
      for name, job in run.catalogue.catalogue.jobs : (
        output.jobs[name].schedule == job.cron
        && output.jobs[name].time_zone == job.zone
        && output.jobs[name].http_target[0].uri == "https://europe-west2-daybook-test.cloudfunctions.net/${job.function}"
        && output.jobs[name].http_target[0].oidc_token[0].audience == output.jobs[name].http_target[0].uri
      )
    ])
    error_message = "A job fires its door at its times with a token for that door."
  }

  assert {
    condition = (
      toset(output.key.users) == toset([for name, function in run.catalogue.catalogue.functions : name if contains(function.roles, "keys")])
      && toset(keys(output.databases.keysets.users)) == toset(output.key.users)
    )
    error_message = "Only doors that hold the role `keys` reach the platform's key and the keysets."
  }

  assert {
    condition = (
      alltrue([for grant in output.databases.books.users : grant == "resource.name == \"projects/daybook-test/databases/(default)\""])
      && alltrue([for grant in output.databases.keysets.users : grant == "resource.name == \"projects/daybook-test/databases/keysets\""])
    )
    error_message = "Each grant on a database is narrowed to that database."
  }

  assert {
    condition = (
      output.databases.books.database.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
      && output.databases.keysets.database.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_DISABLED"
      && output.databases.keysets.gone_after_days == 7
    )
    error_message = "The books can be read back; a deleted keyset is gone for good when its backups are."
  }

  assert {
    condition     = output.key.key.rotation_period == "7776000s" && output.key.key.destroy_scheduled_duration == "2592000s"
    error_message = "The key rotates, and its destruction can be taken back for the stated days."
  }

  assert {
    condition = (
      output.seal_key.key.purpose == "ASYMMETRIC_SIGN" && output.seal_key.key.version_template[0].algorithm == "EC_SIGN_P256_SHA256"
      && toset(output.seal_key.signers) == toset([for name, function in run.catalogue.catalogue.functions : name if contains(function.roles, "signing")])
    )
    error_message = "Exactly the holders of the role `signing` sign, with a key that does nothing else."
  }

  assert {
    condition = alltrue([
      for name, function in run.catalogue.catalogue.functions : alltrue([
        for secret in concat(["request-hash"], try(function.secrets, [])) : contains(output.secrets.readers, "${name}/${secret}/roles/secretmanager.secretAccessor")
      ])
    ])
    error_message = "A function reads the secrets that the catalogue names for it, and the key of request hashes."
  }

  assert {
    condition     = !contains(output.secrets.readers, "reports/platform-key/roles/secretmanager.secretAccessor")
    error_message = "A function that names no secret reads none but the key of request hashes."
  }

  assert {
    condition     = alltrue([for rule in values(output.secrets.families) : startswith(rule, "resource.name.startsWith(\"projects/123456789012/secrets/")])
    error_message = "A family's readers are held to its names."
  }
}

run "asleep" {
  command = plan

  variables {
    bundles   = run.catalogue.bundles
    keep_warm = false
  }

  assert {
    condition     = alltrue([for function in output.functions : function.settings.min_instance_count == 0])
    error_message = "Where nothing is kept warm, every function goes to zero."
  }
}

run "a_path_is_no_domain" {
  command = plan

  variables {
    bundles = run.catalogue.bundles
    domain  = "https://api.example.com/"
  }

  expect_failures = [var.domain]
}
