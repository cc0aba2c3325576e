"""One page of a list, as use cases answer it: the items in a stable order, and where the next page starts."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Listing(Generic[T_co]):
    """A page; `next_cursor` is opaque, None when this was the last."""

    items: tuple[T_co, ...]
    next_cursor: str | None = None
