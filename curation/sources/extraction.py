"""Chooses how the main text of a page is extracted, by what the page declares to be and whether extractors agree.

Rules instead of a model, so that a reader can follow each choice. trafilatura scores paragraphs, resiliparse leaves out
elements by their names: where both find the same text, the page reads like an article. Where their texts differ, at
least one of them has taken the content (lists, cards, tables) for navigation.
"""

from collections import Counter
from dataclasses import dataclass, field

from resiliparse.parse.html import HTMLTree

from curation.sources.declared import Declared, declared
from curation.sources.extractors import by_trafilatura, main_content, without_navigation

MIN_AGREEMENT = 0.8
"""The least agreement (0 to 1) with resiliparse's text by which trafilatura's text counts as confirmed."""

MIN_PROSE = 0.4
"""A text is prose if at least this share of its characters is in paragraphs."""

PARAGRAPH = 100
"""The fewest characters of a line that counts as a paragraph."""

MIN_ARTICLE = 0.3
"""trafilatura's text of an article is kept if it has at least this share of the characters that resiliparse finds."""

COMPARED = 1 << 20
"""Texts are compared up to this number of characters."""


@dataclass(frozen=True)
class Extraction:
    """The main text of a page. ``extractor`` and ``extracted_as`` say how it was chosen; None if nothing was chosen.
    ``tree`` is the page's, if resiliparse parsed the page."""

    text: str
    extractor: str | None = None
    extracted_as: str | None = None
    tree: HTMLTree | None = field(default=None, repr=False, compare=False)

    @property
    def metadata(self) -> dict[str, str]:
        """What the document's ``metadata`` says of the choice; nothing where the job names the extractor."""
        found = {"extractor": self.extractor, "extracted_as": self.extracted_as}
        return {name: value for name, value in found.items() if value is not None}


def choose(page: str) -> Extraction:
    """The main text of a page by the extractor that suits it; ``extracted_as`` says why.

    - forum: the page declares to be a thread. resiliparse's main content with comments, which are the posts.
    - article: the page declares to be an article. trafilatura's text.
    - thin: an article of which trafilatura finds too little. The whole text without navigation.
    - prose: the page declares neither; trafilatura and resiliparse agree on a text of paragraphs. trafilatura's text.
    - short_lines: they agree, but the text has few paragraphs. The whole text without navigation.
    - mixed: they do not agree. The whole text without navigation.

    Where resiliparse finds no posts, or nothing is left without navigation, the text is trafilatura's.
    """
    kind, tree = declared(page), HTMLTree.parse(page)
    if kind == "forum" and (posts := main_content(tree, comments=True)).strip():
        return Extraction(posts, "resiliparse", "forum", tree)
    text, other = by_trafilatura(page), main_content(tree, comments=kind != "article")
    found = _reason_for(kind, text, other)
    if found in ("article", "prose") or not (whole := without_navigation(tree)).strip():
        return Extraction(text, "trafilatura", found, tree)
    return Extraction(whole, "without_navigation", found, tree)


def _reason_for(kind: Declared | None, text: str, other: str) -> str:
    """The choice that `choose` describes, by trafilatura's ``text`` and resiliparse's text ``other``."""
    if kind == "article":
        return "article" if text and characters(text) >= MIN_ARTICLE * characters(other) else "thin"
    if agreement(text, other) < MIN_AGREEMENT:
        return "mixed"
    return "prose" if prose(text) >= MIN_PROSE else "short_lines"


def characters(text: str) -> int:
    """The number of a text's characters other than white space around its lines."""
    return sum(len(line.strip()) for line in text.splitlines())


def prose(text: str) -> float:
    """The share of a text's characters that are in paragraphs, 0 to 1; 0 for a text without characters."""
    lines = [len(line.strip()) for line in text.splitlines()]
    return sum(line for line in lines if line >= PARAGRAPH) / max(1, sum(lines))


def agreement(one: str, other: str) -> float:
    """The F1 of two texts' words, each as often as it occurs, 0 to 1; 0 for a text without words.

    >>> agreement("the wheel turns the stone", "the wheel turns")
    0.75
    """
    ours, theirs = Counter(one[:COMPARED].split()), Counter(other[:COMPARED].split())
    return 2 * (ours & theirs).total() / max(1, ours.total() + theirs.total())
