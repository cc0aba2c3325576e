"""The cloud on a laptop: Google's emulators, our own, and the host of the doors."""
