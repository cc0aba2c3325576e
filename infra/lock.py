"""Pins every package by version and hash: one file for a checkout, one a requirement group for the bundles.

requirements/{group}.in name what each group asks for. all.txt holds everything, development included;
{group}.txt holds what a group needs, with the very versions of all.txt, so that what is tested is what
is deployed. No file names a package index or a folder of the machine it was made on.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from emulators.catalogue import parse_catalogue

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
HEADER = "# Made by `make lock` from requirements/*.in: change those, never this file.\n"

FLAGS = (
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-header", "--no-annotate", "--quiet"),
)


def main() -> None:
    """Write all.txt, keeping its versions unless `--upgrade` is given, then the groups from it."""
    every = REQUIREMENTS / "all.txt"
    compile_pins(sorted(REQUIREMENTS.glob("*.in")), every, sys.argv[1:])
    for group in groups():
        made = REQUIREMENTS / f"{group}.txt"
        made.unlink(missing_ok=True)
        compile_pins([REQUIREMENTS / f"{group}.in"], made, ["--constraint", str(every)])


def groups() -> list[str]:
    """The requirement groups that functions of the catalogue ask for."""
    catalogue = parse_catalogue((ROOT / "functions" / "catalogue.yaml").read_text(encoding="utf-8"))
    return sorted({group for function in catalogue.functions for group in function.requirements})


def compile_pins(sources: Sequence[Path], made: Path, options: Sequence[str]) -> None:
    """Resolve `sources` into one hashed file.

    Raises:
        CalledProcessError: the sources cannot be satisfied together; uv says why.
    """
    command = [sys.executable, "-m", "uv", "pip", "compile", *FLAGS, *options, *map(str, sources), "-o", str(made)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
    made.write_text(HEADER + made.read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    main()
