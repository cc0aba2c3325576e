variable "project" {
  description = "Project id."
  type        = string
}

variable "region" {
  description = "Region of the functions behind it."
  type        = string
}

variable "name" {
  description = "Name of the load balancer and prefix of its parts."
  type        = string
}

variable "domain" {
  description = "The API's host name; point its DNS at the address this module gives out."
  type        = string
}

variable "doors" {
  description = "Public functions by name: the path prefix each serves and the Cloud Run service underneath."
  type        = map(object({ path = string, service = string }))

  validation {
    condition     = length(distinct([for door in var.doors : door.path])) == length(var.doors)
    error_message = "Two doors claim one path."
  }
  validation {
    condition     = alltrue([for door in var.doors : can(regex("^(/[a-z0-9_]+)+$", door.path))])
    error_message = "A door's path is /words/without/a/last/slash."
  }
}
