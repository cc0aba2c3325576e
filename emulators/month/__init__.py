"""A month of business on a local cloud of its own: input files in, a proven report out."""
