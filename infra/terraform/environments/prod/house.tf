# Production: cannot be deleted by mistake, answers webhooks warm, keeps the books' backups for 14 weeks.

module "house" {
  source         = "../../modules/house"
  project        = var.project
  region         = var.region
  domain         = var.domain
  bundles        = var.bundles
  bundles_folder = "${path.root}/../../../../build/bundles"
  alert_mails    = var.alert_mails

  protected              = true
  keep_warm              = true
  backup_days            = 98
  keyset_backup_days     = 7
  key_rotation_days      = 90
  key_destroy_after_days = 30
}
