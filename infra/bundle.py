"""One bundle a function: its door as main.py, the modules it reaches, its pinned packages, and nothing else.

build/bundles/{function}/ is what the platform gets, {function}.zip the same as one file whose bytes
depend on nothing but its content, and bundles.tfvars.json each zip's SHA-256: Terraform deploys a
function again exactly when its digest changes. The platform compiles the bundle itself, so no .pyc is in it.
"""

import hashlib
import json
import shutil
import sys
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from emulators.catalogue import Function, load_catalogue
from infra.imports import PRODUCT, ROOT, closure_of, path_of

BUNDLES = ROOT / "build" / "bundles"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date a zip can hold: every file carries it."""


def main() -> None:
    """Write every function's bundle and the digests of all.

    Raises:
        CatalogueMistaken: the catalogue contradicts itself, or names a function that has no door.
    """
    shutil.rmtree(BUNDLES, ignore_errors=True)
    functions = sorted(load_catalogue().functions, key=lambda function: function.name)
    digests = {function.name: zipped(bundle(function, BUNDLES / function.name)) for function in functions}
    written = json.dumps({"bundles": digests}, indent=2)
    (BUNDLES / "bundles.tfvars.json").write_text(f"{written}\n", encoding="utf-8")
    sizes = [(BUNDLES / f"{name}.zip").stat().st_size for name in digests]
    sys.stdout.write(f"{len(sizes)} bundles in build/bundles, {min(sizes):,} to {max(sizes):,} bytes\n")


def bundle(function: Function, folder: Path) -> Path:
    """Write one function's bundle into a folder and return it."""
    for name, content in contents(function).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


def contents(function: Function) -> Mapping[str, bytes]:
    """The files of a function's bundle by their names in it."""
    door = ROOT / function.file
    code = sorted(path_of(module) for module in closure_of(door).modules)
    files = [*code, *data_of({path.parent for path in code})]
    return {
        "main.py": door.read_bytes(),
        "requirements.txt": requirements_of(function.requirements).encode(),
        **{str(path.relative_to(ROOT)): path.read_bytes() for path in files},
    }


def data_of(packages: Iterable[Path]) -> list[Path]:
    """The tables that belong to packages: their files that are not code, also in folders that hold no code."""
    found = (path for path in (ROOT / PRODUCT).rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"})
    homes = frozenset(packages)
    return sorted(path for path in found if owner_of(path) in homes)


def owner_of(path: Path) -> Path:
    """The innermost package around a file."""
    return next(folder for folder in path.parents if (folder / "__init__.py").exists() or folder == ROOT)


def requirements_of(groups: Iterable[str]) -> str:
    """The hashed pins of several groups as one file, each package once.

    Raises:
        ValueError: two groups pin a package differently; `make lock` mends that.
    """
    pins: dict[str, str] = {}
    for group in groups:
        for pin in pins_in(ROOT / "requirements" / f"{group}.txt"):
            name = pin.split("==", 1)[0]
            if pins.setdefault(name, pin) != pin:
                message = f"{name} is pinned in two ways; run make lock"
                raise ValueError(message)
    return "".join(pins[name] for name in sorted(pins))


def pins_in(path: Path) -> list[str]:
    """The pins of a requirements file, each with its marker and hashes, as written."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if not line.startswith("#")]
    starts = [index for index, line in enumerate(lines) if not line.startswith(" ")]
    return ["".join(lines[start:end]) for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def zipped(folder: Path) -> str:
    """Write a folder beside itself as a zip that is the same for the same files, and return its SHA-256 in hex."""
    archive = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), EPOCH)
            entry.external_attr = 0o644 << 16
            out.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return hashlib.sha256(archive.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
