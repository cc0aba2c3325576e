"""Refunds that we ask for: what they hold, the states they go through, and what each does to the books."""
