"""Finds elements of an HTML page."""

from collections.abc import Sequence

from resiliparse.parse.html import ElementNode, HTMLTree

MAX_ELEMENTS = 100
"""Matching elements of a page that are read: reading them takes time in proportion to the square of their number (2 ms
for 30 elements, 23 ms for 100, by resiliparse 1.0)."""


def elements(tree: HTMLTree, selectors: str) -> Sequence[ElementNode] | None:
    """The elements that match one of the CSS selectors, in the order of the page; None if there are more than
    MAX_ELEMENTS."""
    found = tree.document.query_selector_all(selectors) if tree.document is not None else ()
    return tuple(found) if len(found) <= MAX_ELEMENTS else None
