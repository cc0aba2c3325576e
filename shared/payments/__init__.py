"""Payments: partners' webhooks taken in once, and the money they tell of applied to what is owed."""
