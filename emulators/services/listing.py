"""Pages of a list, in the order of names, as every list RPC answers them."""

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

PAGE_SIZE = 1_000


def one_page(named: Iterable[tuple[str, T]], size: int, token: str) -> tuple[list[T], str]:
    """The items after the name `token`, and the next token (empty on the last page)."""
    rest = sorted((pair for pair in named if pair[0] > token), key=lambda pair: pair[0])
    limit = min(size, PAGE_SIZE) if size > 0 else PAGE_SIZE
    page = rest[:limit]
    return [item for _, item in page], page[-1][0] if len(rest) > limit else ""
