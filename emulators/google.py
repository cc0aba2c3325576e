"""Google's own Firestore and Pub/Sub emulators, started straight from their jars.

`gcloud` itself is not needed: its wrappers cost seconds and leave Java behind when they are killed.
`python -m emulators.google` checks that everything is installed and says how to install what is not.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emulators.addresses import LOOPBACK, Leases, answers
from emulators.processes import Child, CloudFault, Program, inherited_environment, start, wait_until_ready
from shared.gcp import firestore_methods as methods
from shared.gcp.patience import Patience
from shared.gcp.rpc import Rpc

JAVA_MINIMUM: Final = 11
"""Oldest Java that runs both jars of the current Cloud SDK."""

_WARMING_SECONDS: Final = 60
_JAVA_HINT: Final = "install Java 11 or later, e.g. `apt-get install openjdk-17-jre-headless`"
_SDK_HINT: Final = (
    "from Google's apt repository (https://cloud.google.com/sdk/docs/install#deb);"
    " an SDK in an unusual place is named by DAYBOOK_SDK=/path/to/google-cloud-sdk"
)
_FIRESTORE_JAR: Final = "cloud-firestore-emulator/cloud-firestore-emulator.jar"
_FIRESTORE_MAIN: Final = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_PUBSUB_JAR: Final = "pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
_USUAL_PLACES: Final = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/usr/local/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/opt/google-cloud-cli",
    "/opt/homebrew/share/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
    "~/google-cloud-sdk",
)


class EmulatorsMissing(CloudFault):
    """Something that must be installed first is not there; the message names all of it."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the parts were found."""

    java: Path
    firestore_jar: Path
    pubsub_jar: Path


def find_installation(environment: Mapping[str, str] | None = None) -> Installation:
    """Look for Java and both emulators.

    `DAYBOOK_SDK` or `CLOUDSDK_ROOT` name the Cloud SDK's folder; else the folder of `gcloud` on the
    path and the usual places are tried.

    Raises:
        EmulatorsMissing: with every missing part and how to install it.
    """
    env = os.environ if environment is None else environment  # noqa: TID251 - looks for installed programs, reads no setting
    missing: list[str] = []
    java = _find_java(env, missing)
    roots = list(_sdk_folders(env))
    firestore = _find_jar(roots, _FIRESTORE_JAR)
    pubsub = _find_jar(roots, _PUBSUB_JAR)
    missing += _absent("Firestore", "cloud-firestore-emulator", "google-cloud-cli-firestore-emulator", firestore)
    missing += _absent("Pub/Sub", "pubsub-emulator", "google-cloud-cli-pubsub-emulator", pubsub)
    if java is None or firestore is None or pubsub is None:
        raise EmulatorsMissing("\n".join(missing))
    return Installation(java, firestore, pubsub)


def start_firestore(installation: Installation, port: int, log: Path) -> Child:
    """Begin to start the Firestore emulator; `wait_for` says when it answers. It keeps nothing on disk."""
    command = (
        str(installation.java),
        "-Duser.language=en",
        "-cp",
        str(installation.firestore_jar),
        _FIRESTORE_MAIN,
        "start",
        f"--host={LOOPBACK}",
        f"--port={port}",
    )
    return start(Program("firestore", command, log, environment=inherited_environment({})))


def start_pubsub(installation: Installation, port: int, log: Path) -> Child:
    """Begin to start the Pub/Sub emulator; `wait_for` says when it answers. It keeps nothing on disk."""
    command = (str(installation.java), "-jar", str(installation.pubsub_jar), f"--host={LOOPBACK}", f"--port={port}")
    return start(Program("pubsub", command, log, environment=inherited_environment({})))


@contextlib.contextmanager
def firestore_running(folder: Path) -> Iterator[str]:
    """A Firestore emulator of its own (`host:port`) while the context is open; its log is in `folder`.

    Raises:
        EmulatorsMissing: it, Pub/Sub's or Java is not installed.
    """
    installation = find_installation()
    with contextlib.closing(Leases(folder)) as leases:
        port = leases.lease()
        child = start_firestore(installation, port, folder / "firestore.log")
        try:
            wait_for(child, port)
            warm_firestore(f"{LOOPBACK}:{port}")
            yield f"{LOOPBACK}:{port}"
        finally:
            child.kill()


def wait_for(child: Child, port: int) -> None:
    """Wait until the emulator on `port` answers `Ok`.

    Raises:
        PortTaken: another program was faster.
        CloudFault: it ended, or did not answer in time.
    """
    wait_until_ready({child.name: (child, lambda: answers(f"http://{LOOPBACK}:{port}/"))})


def warm_firestore(endpoint: str) -> None:
    """Have a commit, a read and a query answered, however long the first ones of a cold emulator take.

    On a busy machine they outlast the patience of a request, and nobody's first request should pay for it.

    Raises:
        Retryable: no answer within minutes.
    """
    database = "projects/warming/databases/(default)"
    document = f"{database}/documents/warming/up"
    commit = methods.COMMIT.request(database=database)
    commit.writes.add().update.name = document
    read = methods.BATCH_GET.request(database=database, documents=[document])
    query = methods.RUN_QUERY.request(parent=f"{database}/documents")
    query.structured_query.from_.add().collection_id = "warming"
    rpc = Rpc("", endpoint, patience=Patience(call_seconds=_WARMING_SECONDS, total_seconds=2 * _WARMING_SECONDS))
    try:
        for method, request in ((methods.COMMIT, commit), (methods.BATCH_GET, read), (methods.RUN_QUERY, query)):
            rpc.ask(method, request)
    finally:
        rpc.close()


# --- finding -----------------------------------------------------------------------------


def _find_java(env: Mapping[str, str], missing: list[str]) -> Path | None:
    home = env.get("JAVA_HOME")
    candidates = [Path(home, "bin", "java")] if home else []
    candidates += [Path(found)] if (found := shutil.which("java", path=env.get("PATH"))) else []
    java = next((path for path in candidates if os.access(path, os.X_OK)), None)
    if java is None:
        missing.append(f"Java is not installed: {_JAVA_HINT}")
        return None
    version = _java_version(java)
    if version < JAVA_MINIMUM:
        missing.append(f"Java at {java} is version {version}: {_JAVA_HINT}")
        return None
    return java


def _java_version(java: Path) -> int:
    """The feature release: 17 for `17.0.15`, 8 for `1.8.0_442`, 0 when it does not say."""
    release = java.resolve().parent.parent / "release"
    if release.exists():
        text = release.read_text(encoding="utf-8")
    else:
        answer = subprocess.run((java, "-version"), capture_output=True, text=True, check=False)  # noqa: S603 - the Java just found
        text = answer.stderr.replace("version", "JAVA_VERSION=", 1).replace("= ", "=")
    found = re.search(r'JAVA_VERSION="(?:1\.)?(\d+)', text)
    return int(found.group(1)) if found else 0


def _sdk_folders(env: Mapping[str, str]) -> Iterator[Path]:
    for name in ("DAYBOOK_SDK", "CLOUDSDK_ROOT", "CLOUDSDK_ROOT_DIR"):
        if folder := env.get(name):
            yield Path(folder)
            return
    if gcloud := shutil.which("gcloud", path=env.get("PATH")):
        yield Path(gcloud).resolve().parent.parent
    home = env.get("HOME", "/nonexistent")
    yield from (Path(place.replace("~", home, 1)) for place in _USUAL_PLACES)


def _find_jar(roots: Iterable[Path], pattern: str) -> Path | None:
    for root in roots:
        if jars := sorted((root / "platform").glob(pattern)):
            return jars[-1]
    return None


def _absent(title: str, component: str, package: str, jar: Path | None) -> list[str]:
    if jar is not None:
        return []
    ways = f"`gcloud components install {component}`, or `apt-get install {package}` {_SDK_HINT}"
    return [f"the {title} emulator is not installed: {ways}"]


def main() -> int:
    """Say what is missing, if anything; the exit code is 0 when everything is there."""
    try:
        find_installation()
    except EmulatorsMissing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
