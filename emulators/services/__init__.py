"""Cloud Tasks, Cloud KMS, Cloud Scheduler and an OIDC issuer in one process, spoken to by Google's own clients."""
