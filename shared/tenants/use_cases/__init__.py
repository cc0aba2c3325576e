"""What is done with tenants and their keys."""
