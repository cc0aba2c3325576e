# What is found by which field. Firestore indexes every field by itself; here is what departs from that.

resource "google_firestore_field" "expiry" {
  for_each   = var.expiries
  project    = var.project
  database   = google_firestore_database.database.name
  collection = each.key
  field      = each.value

  ttl_config {}

  # Found by no query, and it only grows.
  index_config {}
}

resource "google_firestore_field" "field" {
  for_each   = var.fields
  project    = var.project
  database   = google_firestore_database.database.name
  collection = split(".", each.key)[0]
  field      = split(".", each.key)[1]

  index_config {
    dynamic "indexes" {
      for_each = toset(each.value.orders)
      content {
        order       = indexes.value
        query_scope = "COLLECTION"
      }
    }
    dynamic "indexes" {
      for_each = toset(each.value.group_orders)
      content {
        order       = indexes.value
        query_scope = "COLLECTION_GROUP"
      }
    }
  }
}

resource "google_firestore_index" "index" {
  for_each    = var.indexes
  project     = var.project
  database    = google_firestore_database.database.name
  collection  = each.value.collection
  query_scope = "COLLECTION"

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path   = trimprefix(trimprefix(fields.value, "-"), "@")
      order        = startswith(fields.value, "@") ? null : startswith(fields.value, "-") ? "DESCENDING" : "ASCENDING"
      array_config = startswith(fields.value, "@") ? "CONTAINS" : null
    }
  }
}
