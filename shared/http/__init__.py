"""The door frame: keys and tokens, problem+json, idempotency, audit context, tracing, OpenAPI."""
