import re

from tests.house.sources import kept_files, place

# One letter of each in brackets, so that this file does not hold what it looks for.
MACHINE_PATHS = re.compile(r"/(?:wor[k]|roo[t]|far[m]|hom[e]/[a-z]+|User[s]/[a-z]+)/")
INDEX_HOSTS = re.compile(r"pyp[i]\.org|pythonhoste[d]|npmj[s]\.(?:org|com)|deb\.debia[n]")


def test_nothing_names_the_machine_it_was_made_on() -> None:
    """A clone works anywhere, so no file knows a folder outside of it."""
    assert lines_with(MACHINE_PATHS) == []


def test_nothing_names_a_package_index() -> None:
    """Where packages come from is the installer's business; which ones is settled by hash."""
    assert lines_with(INDEX_HOSTS) == []


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Where a pattern stands in the files that a clone holds."""
    return [
        f"{place(path)}:{number}"
        for path in kept_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
