"""Invented people, companies and services, put together from words; nobody is meant by any of them."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random  # noqa: TID251 - seeded: the same people every time
from typing import Any, Final

WORDS: Final = Path(__file__).with_name("invented.json")


def person(chance: Random, country: str) -> str:
    """A person's name; in the words, `_` stands for a space within one."""
    names, begins, ends = (_words()[kind][country] for kind in ("first_names", "surname_beginnings", "surname_ends"))
    first, begin, end = (chance.choice(text.split()).replace("_", " ") for text in (names, begins, ends))
    return f"{first} {begin}{end}"


def company(chance: Random, country: str) -> str:
    """A company's name with its legal form."""
    first, second = chance.sample(_words()["company_words"].split(), 2)
    return f"{first} & {second} {chance.choice(_words()['company_trades'][country])}"


def services(supply: str) -> Sequence[Mapping[str, str]]:
    """What is sold under a kind of supply: description, lowest and highest unit price."""
    found: Sequence[Mapping[str, str]] = _words()["services"][supply]
    return found


def categories(country: str) -> Sequence[str]:
    """Rate names of a taxing country, as in its dated rates; repeated ones are commoner."""
    text: str = _words()["categories"][country]
    return text.split()


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = json.loads(WORDS.read_text(encoding="utf-8"))
    return words
