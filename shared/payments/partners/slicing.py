"""A batch's pieces, each in the very bytes that came: what a signature was made of is not written anew."""

import re
from collections.abc import Iterator
from decimal import Decimal
from json.decoder import JSONDecoder
from typing import Final

from shared.payments.partners.reading import NOT_AN_EVENT, text
from shared.payments.refusals import NotAnEvent

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = JSONDecoder(parse_float=Decimal)


def elements(raw: bytes, name: str) -> tuple[bytes, ...]:
    """The elements of the array that an object's member `name` is, each in the very bytes that came.

    Raises:
        NotAnEvent: the body is no object with one such member.
    """
    try:
        found = [value for key, value in _members(raw.decode()) if key == name]
        (array,) = found
        return tuple(element.encode() for element in _elements(array))
    except NOT_AN_EVENT:
        pass
    message = f"the body has no list of {name}"
    raise NotAnEvent(message)


def _members(body: str) -> Iterator[tuple[str, str]]:
    """Names and texts of an object's members."""
    place = _after(body, 0, "{")
    while body[place] != "}":
        key, place = _DECODER.raw_decode(body, place)
        start = _after(body, _skip(body, place), ":")
        _, place = _DECODER.raw_decode(body, start)
        yield text(key), body[start:place]
        place = _next(body, place, "}")
    _end(body, place + 1)


def _elements(array: str) -> Iterator[str]:
    """The texts of an array's elements."""
    place = _after(array, 0, "[")
    while array[place] != "]":
        start = place
        _, place = _DECODER.raw_decode(array, start)
        yield array[start:place]
        place = _next(array, place, "]")
    _end(array, place + 1)


def _next(body: str, place: int, last: str) -> int:
    """Behind a comma, or at the end; a comma before the end is no JSON."""
    place = _skip(body, place)
    if body[place] == last:
        return place
    place = _after(body, place, ",")
    if body[place] == last:
        raise _no_json(place)
    return place


def _after(body: str, place: int, mark: str) -> int:
    place = _skip(body, place)
    if body[place] != mark:
        raise _no_json(place)
    return _skip(body, place + 1)


def _skip(body: str, place: int) -> int:
    found = _SPACE.match(body, place)
    return found.end() if found else place


def _end(body: str, place: int) -> None:
    if _skip(body, place) != len(body):
        raise _no_json(place)


def _no_json(place: int) -> ValueError:
    message = f"no JSON at character {place}"
    return ValueError(message)
