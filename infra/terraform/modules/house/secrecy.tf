# The key above all keys, and the secrets.

locals {
  key_ring = "daybook"
  key      = "personal-data"
  seal_key = "seals-of-journals"
  kms_keys = "projects/${var.project}/locations/${var.region}/keyRings/${local.key_ring}/cryptoKeys"
  kms_key  = "${local.kms_keys}/${local.key}"

  seal_key_version = "${local.kms_keys}/${local.seal_key}/cryptoKeyVersions/${var.seal_key_version}"

  # Every function keys its requests' hashes with the same secret; the catalogue names the rest, function by function.
  request_hash = "request-hash"
  secret_pairs = concat(
    [for name, function in local.functions : { function = name, secret = local.request_hash }],
    flatten([for name, function in local.functions : [for secret in function.secrets : { function = name, secret = secret }]]),
  )
}

module "key" {
  source             = "../key"
  project            = var.project
  region             = var.region
  ring               = local.key_ring
  name               = local.key
  rotation_days      = var.key_rotation_days
  destroy_after_days = var.key_destroy_after_days
  users              = local.holders["keys"]
  depends_on         = [module.services]
}

module "signing_key" {
  source             = "../signing_key"
  ring               = module.key.ring
  name               = local.seal_key
  destroy_after_days = var.key_destroy_after_days
  signers            = local.holders["signing"]
}

module "secrets" {
  source         = "../secrets"
  project        = var.project
  project_number = data.google_project.project.number
  region         = var.region
  names          = toset(local.secret_pairs[*].secret)
  readers = {
    for pair in local.secret_pairs : "${pair.function}/${pair.secret}" => {
      secret  = pair.secret
      account = module.account[pair.function].email
    }
  }
  depends_on = [module.services]
}
