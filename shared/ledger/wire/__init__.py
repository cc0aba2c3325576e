"""The ledger's values as its doors take and answer them, a feature a file."""
