"""The internet: the one place that sends requests to addresses which others chose."""
