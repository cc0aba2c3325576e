"""The ledger's pure decisions."""
