"""Cloud KMS: keys that encrypt small things or sign, in versions that can be switched off and destroyed."""
