"""Customers: who is invoiced."""
