"""What is done with webhooks: endpoints are kept, messages told, deliveries attempted, logged and sent again."""
