"""Message types without their packages: a client package costs 0.25-0.35 s to import, its types 0.05 s.

The types are imported under a bare parent module, which is taken away again: whoever imports the
real package later gets it whole, with the very same types. Where it is already there, it is used.
"""

import importlib
import importlib.util
import sys
from threading import RLock
from types import ModuleType
from typing import Any, Final

_importing: Final = RLock()


class Messages:
    """The raw protobuf classes of one `types` module: `Messages("google.cloud.kms_v1", "service").EncryptRequest`."""

    def __init__(self, package: str, module: str) -> None:
        self._module = _types(package, module)

    def __getattr__(self, name: str) -> Any:
        """The protobuf class behind the wrapper of that name, its own nested names hang on it; an enum as it is."""
        wrapper = getattr(self._module, name)
        raw = wrapper.pb() if hasattr(wrapper, "pb") else wrapper
        setattr(self, name, raw)
        return raw


def _types(package: str, module: str) -> ModuleType:
    name = f"{package}.types.{module}"
    with _importing:
        if package in sys.modules:
            return importlib.import_module(name)
        sys.modules[package] = _bare(package)
        try:
            return importlib.import_module(name)
        finally:
            del sys.modules[package]
            sys.modules.pop(f"{package}.types", None)  # imported again with the real package, from the same modules


def _bare(package: str) -> ModuleType:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        message = f"{package} is not installed"
        raise ModuleNotFoundError(message, name=package)
    bare = ModuleType(package)
    bare.__path__ = list(spec.submodule_search_locations)
    return bare
