# Two databases: the books, kept and backed up; the keysets, whose recovery window is the delay of every shredding.

locals {
  database         = "(default)"
  keysets_database = "keysets"
}

module "books" {
  source                 = "../firestore"
  project                = var.project
  region                 = var.region
  name                   = local.database
  point_in_time_recovery = true
  backup_days            = var.backup_days
  protected              = var.protected
  users                  = local.holders["store"]

  expiries = { idempotency = "expires_at" }

  fields = {
    # The sweep looks for old rows over all tenants; nobody looks within one.
    "outbox.created_at" = { group_orders = ["ASCENDING"] }
    "outbox.body"       = {}
    "outbox.data"       = {}

    # The payroll sweep looks for runs that stand still over all tenants; lists filter within one.
    "payroll_runs.state" = { orders = ["ASCENDING", "DESCENDING"], group_orders = ["ASCENDING"] }

    # Written once in the order of time: seals read them forwards, nothing backwards.
    "entries.recorded_at" = { orders = ["ASCENDING"] }
    "entries.lines"       = {}
    "audit.recorded_at"   = { orders = ["ASCENDING"] }
    "audit.at"            = {}

    # The hottest documents of all: found by name and by what they are about, never by their sums.
    "totals.debits"  = {}
    "totals.credits" = {}
    "totals.count"   = {}
    "totals.d"       = {}
  }

  depends_on = [module.services]
}

module "keysets" {
  source                 = "../firestore"
  project                = var.project
  region                 = var.region
  name                   = local.keysets_database
  point_in_time_recovery = false
  backup_days            = var.keyset_backup_days
  protected              = var.protected
  users                  = local.holders["keys"]
  depends_on             = [module.services]
}
