"""Partners' own APIs on a laptop: what they know is fed to them, and they can be told to fail."""
