"""What is decided about webhooks from values alone."""
