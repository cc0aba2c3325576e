"""The `daybook` command against the API, wherever it is; never part of a function."""
