"""How a bug is planted: a text of the product is put wrong while it is imported, in a process of its own."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Edit:
    """A text as it stands in a file of the product, exactly once, and the text put in its place."""

    file: str
    right: str
    wrong: str

    @property
    def module(self) -> str:
        """The module that it is in."""
        return self.file.removesuffix(".py").replace("/", ".")


@dataclass(frozen=True)
class Plant:
    """One bug; where two layers protect, both are broken."""

    name: str
    edits: tuple[Edit, ...]

    def sources(self) -> dict[str, tuple[str, str]]:
        """By module: its file, and its text with the bug in it.

        Raises:
            LookupError: a text does not stand there exactly once.
        """
        texts: dict[str, tuple[str, str]] = {}
        for edit in self.edits:
            _, text = texts.get(edit.module) or ("", (ROOT / edit.file).read_text(encoding="utf-8"))
            if text.count(edit.right) != 1:
                message = f"{self.name}: a text stands {text.count(edit.right)} times in {edit.file}"
                raise LookupError(message)
            texts[edit.module] = (edit.file, text.replace(edit.right, edit.wrong))
        return texts


def one(name: str, file: str, right: str, wrong: str) -> Plant:
    """A bug of one line."""
    return Plant(name, (Edit(file, right, wrong),))


class _Planter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports modules with their bug."""

    def __init__(self, plant: Plant) -> None:
        self._sources = plant.sources()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The modules of the bug are ours."""
        del path, target
        return importlib.util.spec_from_loader(name, self) if name in self._sources else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the text with the bug."""
        file, text = self._sources[module.__name__]
        module.__file__ = str(ROOT / file)
        exec(compile(text, file, "exec"), module.__dict__)  # noqa: S102 - our own text


def plant(chosen: Plant) -> None:
    """Plant a bug in this process, before anything of the product is imported.

    Raises:
        RuntimeError: a module of it is imported already.
    """
    for edit in chosen.edits:
        if edit.module in sys.modules:
            message = f"{edit.module} is imported already"
            raise RuntimeError(message)
    sys.meta_path.insert(0, _Planter(chosen))
