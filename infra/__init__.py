"""What stands around the product: its tools, its bundles, its Terraform."""
