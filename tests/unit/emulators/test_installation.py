from pathlib import Path

import pytest

from emulators.google import EmulatorsMissing, find_installation


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine with Java 17 and a whole Cloud SDK."""
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\n")
    java.chmod(0o755)
    (tmp_path / "java" / "release").write_text('IMPLEMENTOR="Anyone"\nJAVA_VERSION="17.0.15"\n')
    for jar in (
        "cloud-firestore-emulator/cloud-firestore-emulator.jar",
        "pubsub-emulator/lib/cloud-pubsub-emulator-0.8.20-all.jar",
    ):
        path = tmp_path / "sdk" / "platform" / jar
        path.parent.mkdir(parents=True)
        path.touch()
    return {"JAVA_HOME": str(tmp_path / "java"), "DAYBOOK_SDK": str(tmp_path / "sdk"), "PATH": "/nonexistent"}


def test_java_and_both_emulators_are_found(machine: dict[str, str], tmp_path: Path) -> None:
    """The SDK's folder and JAVA_HOME are enough; no program of the SDK is needed."""
    found = find_installation(machine)
    assert found.java == tmp_path / "java" / "bin" / "java"
    assert found.pubsub_jar.name == "cloud-pubsub-emulator-0.8.20-all.jar"


def test_the_sdk_is_found_behind_the_gcloud_on_the_path(machine: dict[str, str], tmp_path: Path) -> None:
    """A link to gcloud in some bin folder leads to the SDK's own folder."""
    gcloud = tmp_path / "sdk" / "bin" / "gcloud"
    gcloud.parent.mkdir()
    gcloud.write_text("#!/bin/sh\n")
    gcloud.chmod(0o755)
    links = tmp_path / "links"
    links.mkdir()
    (links / "gcloud").symlink_to(gcloud)
    found = find_installation({"JAVA_HOME": machine["JAVA_HOME"], "PATH": str(links)})
    assert found.firestore_jar.is_relative_to(tmp_path / "sdk")


def test_a_missing_java_is_said_with_what_to_install(machine: dict[str, str]) -> None:
    """Without Java the message names a package that brings it."""
    del machine["JAVA_HOME"]
    with pytest.raises(EmulatorsMissing, match="openjdk-17-jre-headless"):
        find_installation(machine)


@pytest.mark.parametrize("version", ["1.8.0_442", "9.0.4"])
def test_a_java_that_is_too_old_is_said(machine: dict[str, str], tmp_path: Path, version: str) -> None:
    """Both ways of writing a Java version are understood."""
    (tmp_path / "java" / "release").write_text(f'JAVA_VERSION="{version}"\n')
    with pytest.raises(EmulatorsMissing, match=r"is version [89]: install Java 11 or later"):
        find_installation(machine)


@pytest.mark.parametrize(
    ("folder", "component", "package"),
    [
        ("cloud-firestore-emulator", "cloud-firestore-emulator", "google-cloud-cli-firestore-emulator"),
        ("pubsub-emulator/lib", "pubsub-emulator", "google-cloud-cli-pubsub-emulator"),
    ],
)
def test_a_missing_emulator_is_said_with_both_ways_to_install_it(
    machine: dict[str, str], tmp_path: Path, folder: str, component: str, package: str
) -> None:
    """The message names the gcloud component and the apt package."""
    for jar in (tmp_path / "sdk" / "platform" / folder).glob("*.jar"):
        jar.unlink()
    with pytest.raises(EmulatorsMissing) as caught:
        find_installation(machine)
    assert f"gcloud components install {component}`" in str(caught.value)
    assert f"apt-get install {package}`" in str(caught.value)


def test_everything_missing_is_said_at_once() -> None:
    """Nobody installs three things in three attempts."""
    with pytest.raises(EmulatorsMissing) as caught:
        find_installation({"PATH": "/nonexistent", "DAYBOOK_SDK": "/nonexistent"})
    assert len(str(caught.value).splitlines()) == 3
