"""Webhooks: what happened, told to tenants' own systems by the Standard Webhooks specification."""
