variable "project" {
  description = "Project id."
  type        = string
}

variable "region" {
  description = "Region the function runs in."
  type        = string
}

variable "name" {
  description = "The function's key in the catalogue: its file, its entry point and its name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{2,26}$", var.name))
    error_message = "A function's name is 3 to 27 lower-case letters, digits and underscores (its account's name has at most 30 characters)."
  }
}

variable "runtime" {
  description = "Language runtime."
  type        = string
}

variable "settings" {
  description = "The function as the catalogue describes it, defaults filled in."
  type = object({
    memory          = string
    cpu             = number
    concurrency     = number
    timeout_seconds = number
    min_instances   = number
    max_instances   = number
  })

  validation {
    condition     = var.settings.cpu >= 1 || var.settings.concurrency == 1
    error_message = "Below one CPU the platform serves one request at a time: concurrency must be 1."
  }
  validation {
    condition     = var.settings.min_instances <= var.settings.max_instances
    error_message = "min_instances is above max_instances."
  }
}

variable "environment" {
  description = "DAYBOOK_* variables that the function reads at start."
  type        = map(string)
}

variable "source_bundle" {
  description = "The bundle: bucket to keep it in, file on this machine, SHA-256 in hex. A new digest is a new deployment."
  type = object({
    bucket = string
    file   = string
    sha256 = string
  })
}

variable "account" {
  description = "E-mail of the account it runs as: its own, shared with no other function."
  type        = string
}

variable "builder" {
  description = "Resource id of the account that builds the image."
  type        = string
}

variable "repository" {
  description = "Resource id of the repository that keeps the image."
  type        = string
}

variable "public" {
  description = "Whether it is reached through the load balancer (its lock is in the code); otherwise only by its callers, from inside."
  type        = bool
}

variable "callers" {
  description = "Private doors: who may call, by role in the catalogue, with the account's e-mail."
  type        = map(string)
  default     = {}
}
