"""The double-entry ledger: accounts, journal entries, totals, periods, and the proof that they agree."""
