"""Tenants: who the books belong to, and the keys that open them."""
