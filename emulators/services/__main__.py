"""`python -m emulators.services`: see `process` for what it runs.

Queues, jobs, keys and the token signing key survive a restart (see `state`); waiting tasks do not.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from emulators.services.process import Options, run


def options(arguments: list[str] | None = None) -> Options:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="emulators.services", description=__doc__)
    parser.add_argument("--grpc-port", type=int, required=True, help="Cloud Tasks, Cloud KMS, Cloud Scheduler")
    parser.add_argument("--http-port", type=int, required=True, help="JWKS, Pub/Sub relay, admin")
    parser.add_argument("--partners-port", type=int, required=True, help="partners' own APIs")
    parser.add_argument("--state-file", type=Path, required=True, help="keys, queues and jobs; readable by its owner")
    parser.add_argument("--clock", type=Path, help="file of the settable clock; the system's clock without")
    parser.add_argument("--doors-url", default="", help="where the Pub/Sub relay finds the doors")
    parser.add_argument("--issuer", default="", help="iss of the tokens; http://127.0.0.1:HTTP_PORT without")
    return Options(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    try:
        asyncio.run(run(options()))
    except OSError as fault:
        sys.exit(f"emulators.services: {fault}")
