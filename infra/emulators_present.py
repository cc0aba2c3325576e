"""Says at once what must be installed before the tests can run, instead of once a test."""

import sys

from emulators.google import EmulatorsMissing, find_installation


def main() -> int:
    """0 when Java and Google's emulators are there; else every missing part is named with a way to install it."""
    try:
        find_installation()
    except EmulatorsMissing as missing:
        sys.stderr.write(f"The tests need Google's Firestore and Pub/Sub emulators:\n{missing}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
