"""Cloud Tasks: queues that call doors, at most so fast, again and again until a 2xx."""
