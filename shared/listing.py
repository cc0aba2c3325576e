"""Lists a page at a time: as use cases answer them, and as they read a query to its end."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from shared.limits import DOCUMENTS_PAGE
from shared.ports import Document, Page, Query, Store

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Listing(Generic[T_co]):
    """A page; `next_cursor` is opaque, None when this was the last."""

    items: tuple[T_co, ...]
    next_cursor: str | None = None


def pages(store: Store, query: Query, *, at: datetime | None = None, most: int | None = None) -> Iterator[Page]:
    """The pages of a query, read as they are asked for; all of them, or at most so many.

    `at` is the instant of all of them; without it each is of its own, which a query alone may bear whose
    documents are dealt with one by one. The query's limit is the length of a page, DOCUMENTS_PAGE if it has none.
    """
    query = replace(query, limit=query.limit or DOCUMENTS_PAGE)
    read = 0
    while most is None or read < most:
        page = store.query(query, at=at)
        yield page
        read += 1
        if page.cursor is None:
            return
        query = replace(query, after=page.cursor)


def every(store: Store, query: Query, *, at: datetime | None = None, most: int | None = None) -> Iterator[Document]:
    """The documents of `pages`."""
    return (document for page in pages(store, query, at=at, most=most) for document in page.documents)
