variable "project" {
  description = "Project id."
  type        = string
}

variable "region" {
  description = "Location of the database; fixed when it is made."
  type        = string
}

variable "name" {
  description = "Database id, or (default)."
  type        = string
}

variable "point_in_time_recovery" {
  description = "Whether the last seven days can be read back. Off, deleted data is gone after an hour, backups aside."
  type        = bool
}

variable "backup_days" {
  description = "Days that a daily backup is kept; 0 makes none."
  type        = number

  validation {
    condition     = var.backup_days >= 0 && var.backup_days <= 98
    error_message = "Backups are kept for at most 14 weeks."
  }
}

variable "protected" {
  description = "Whether the database refuses to be deleted."
  type        = bool
}

variable "users" {
  description = "Functions (name, account's e-mail) that may read and write."
  type        = map(string)
}

variable "expiries" {
  description = "Collections whose documents are removed after the time in a field."
  type        = map(string)
  default     = {}
}

variable "fields" {
  description = <<-EOT
    Fields, as `{collection}.{field}`, indexed otherwise than automatically: in `orders` (ASCENDING, DESCENDING) within one
    tenant's collection, in `group_orders` over all tenants'. Both empty: not at all, which saves what each write costs
    and lifts the limit of about 500 writes a second on fields that only grow.
  EOT
  type = map(object({
    orders       = optional(list(string), [])
    group_orders = optional(list(string), [])
  }))
  default = {}
}

variable "indexes" {
  description = "Composite indexes by a name of our own: collection, then fields in order, prefixed with - where descending, with @ where one of an array."
  type = map(object({
    collection = string
    fields     = list(string)
  }))
  default = {}
}
