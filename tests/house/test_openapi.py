"""The API's one document says what the doors say."""

from infra.openapi import DOCUMENT, text, whole_api
from shared.http.access import ROUTES


def test_the_kept_document_is_what_the_doors_say() -> None:
    """`python -m infra.openapi` writes it again."""
    assert DOCUMENT.read_text(encoding="utf-8") == text()


def test_every_route_is_documented_once() -> None:
    """No route is missing, and none is there that the access table does not know."""
    paths = whole_api()["paths"]
    assert {(method.upper(), rule) for rule, methods in paths.items() for method in methods} == set(ROUTES)
