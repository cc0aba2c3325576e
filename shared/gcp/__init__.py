"""Google Cloud behind the ports: the only place that imports google.* and counts every operation."""
