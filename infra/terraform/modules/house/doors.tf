# Every function of the catalogue, the accounts that call the private ones, and the way in for the public ones.

module "function" {
  source   = "../function"
  for_each = local.functions

  project    = var.project
  region     = var.region
  name       = each.key
  runtime    = local.runtime
  account    = module.account[each.key].email
  builder    = module.artifacts.builder
  repository = module.artifacts.repository
  public     = contains(keys(local.public), each.key)
  callers    = { for caller in each.value.callers : caller => module.caller[caller].email }

  source_bundle = {
    bucket = module.artifacts.bucket
    file   = "${var.bundles_folder}/${each.key}.zip"
    sha256 = var.bundles[each.key]
  }

  settings = merge(each.value, { min_instances = var.keep_warm ? each.value.min_instances : 0 })

  environment = {
    DAYBOOK_PROJECT          = var.project
    DAYBOOK_REGION           = var.region
    DAYBOOK_DATABASE         = local.database
    DAYBOOK_KEYSETS_DATABASE = local.keysets_database
    DAYBOOK_KMS_KEY          = local.kms_key
    DAYBOOK_SEAL_KEY_VERSION = local.seal_key_version
    DAYBOOK_DOORS_URL        = local.doors_url
  }
}

module "account" {
  source   = "../account"
  for_each = local.functions

  project     = var.project
  name        = "fn-${replace(each.key, "_", "-")}"
  description = "Runs ${each.key}"
  depends_on  = [module.services]
}

module "caller" {
  source   = "../account"
  for_each = local.catalogue.callers

  project     = var.project
  name        = each.value
  description = "Opens private doors for ${each.key}"
  users       = each.key == "tasks" ? local.holders["tasks"] : {}
  signer      = each.key == "events" ? local.pubsub_agent : ""
  depends_on  = [module.services]
}

module "load_balancer" {
  source     = "../load_balancer"
  project    = var.project
  region     = var.region
  name       = "daybook"
  domain     = var.domain
  doors      = { for name, path in local.public : name => { path = path, service = module.function[name].service } }
  depends_on = [module.services]
}
