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

  expiries = {
    idempotency        = "expires_at"
    webhook_messages   = "expires_at"
    webhook_deliveries = "expires_at"
    webhook_attempts   = "expires_at"
    webhook_resends    = "expires_at"
  }

  fields = {
    # The sweep looks for old rows over all tenants; nobody looks within one.
    "outbox.created_at" = { group_orders = ["ASCENDING"] }
    "outbox.body"       = {}
    "outbox.data"       = {}

    # The payroll sweep looks for runs that stand still over all tenants; lists filter within one.
    "payroll_runs.state" = { orders = ["ASCENDING", "DESCENDING"], group_orders = ["ASCENDING"] }

    # So does the sweep of refunds for those on their way.
    "refund_requests.state" = { orders = ["ASCENDING", "DESCENDING"], group_orders = ["ASCENDING"] }
    "refund_tallies.flying" = {}

    # The sweep looks for holds whose time is over, over all tenants; lists filter by account and state within one.
    "holds.due_at"     = { group_orders = ["ASCENDING"] }
    "holds.lines"      = {}
    "holds.shards"     = {}
    "pending.reserved" = {}

    # Leaves of seals are read by page, and never looked for.
    "leaves.leaves" = {}

    # Written once in the order of time: seals read them forwards, nothing backwards.
    "entries.recorded_at" = { orders = ["ASCENDING"] }
    "entries.lines"       = {}
    "batches.entries"     = {}
    "entries.memo"        = {}
    "entries.metadata"    = {}
    "entries.rates"       = {}

    # What no list asks for: each would be two entries of an index a posting, paid for in time and in the 10 MiB that a
    # commit may come to with them.
    "entries.schema"         = {}
    "entries.kind"           = {}
    "entries.cause"          = {}
    "entries.reference"      = {}
    "entries.request_hash"   = {}
    "entries.content_hash"   = {}
    "entries.hold"           = {}
    "entries.reversed_lines" = {}

    "audit.recorded_at" = { orders = ["ASCENDING"] }
    "audit.at"          = {}

    # The hottest documents of all: found by name and by what they are about, never by their sums.
    "totals.debits"   = {}
    "totals.credits"  = {}
    "totals.count"    = {}
    "totals.d"        = {}
    "totals.schema"   = {}
    "totals.currency" = {}
    "totals.version"  = {}
    "totals.shard"    = {}

    # The same of shifts; what is carried forward is found by account and month.
    "shifts.debits"   = {}
    "shifts.credits"  = {}
    "shifts.d"        = {}
    "shifts.schema"   = {}
    "shifts.currency" = {}
    "shifts.shard"    = {}
    "shifts.side"     = {}
    "carried.sums"    = {}
    "closings.lines"  = {}

    # What webhooks say is read by name, and so are attempts; deliveries are found by endpoint and state.
    "webhook_messages.body"         = {}
    "webhook_attempts.at"           = {}
    "webhook_deliveries.created_at" = {}
    "webhook_endpoints.secrets"     = {}
    "webhook_routes.endpoints"      = {}
  }

  indexes = {
    # A statement's page: the entries of an account in the order of one of their days.
    entries_by_effective_day = { collection = "entries", fields = ["@accounts", "outcome", "effective_on", "recorded_at"] }
    entries_by_posting_day   = { collection = "entries", fields = ["@accounts", "outcome", "posted_on", "recorded_at"] }

    # A balance: the months of an account since what was carried forward.
    totals_by_account = { collection = "totals", fields = ["account", "month"] }
    shifts_by_account = { collection = "shifts", fields = ["account", "month"] }

    # An endpoint's deliveries, newest first: its log, and the ranges that are sent again.
    webhook_deliveries_by_endpoint = { collection = "webhook_deliveries", fields = ["endpoint", "-created_at"] }
    webhook_deliveries_by_state    = { collection = "webhook_deliveries", fields = ["endpoint", "state", "-created_at"] }
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
