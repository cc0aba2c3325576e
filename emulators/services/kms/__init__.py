"""Cloud KMS: symmetric keys that encrypt small things, in versions that can be switched off and destroyed."""
