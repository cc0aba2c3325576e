variable "project" {
  description = "Project id of this environment."
  type        = string
}

variable "region" {
  description = "The one region of everything that has one."
  type        = string
  default     = "europe-west2"
}

variable "domain" {
  description = "The API's host name."
  type        = string
}

variable "bundles" {
  description = "SHA-256 of each function's bundle: pass -var-file=build/bundles/bundles.tfvars.json, as make plan does."
  type        = map(string)
}

variable "alert_mails" {
  description = "Addresses that every alert is sent to; none in a project that nobody watches."
  type        = set(string)
  default     = []
}
