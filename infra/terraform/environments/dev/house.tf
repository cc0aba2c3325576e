# Development: may be destroyed and made again, sleeps when idle, forgets soon.

module "house" {
  source         = "../../modules/house"
  project        = var.project
  region         = var.region
  domain         = var.domain
  bundles        = var.bundles
  bundles_folder = "${path.root}/../../../../build/bundles"
  alert_mails    = var.alert_mails

  protected              = false
  keep_warm              = false
  backup_days            = 0
  keyset_backup_days     = 0
  key_rotation_days      = 90
  key_destroy_after_days = 1
}
