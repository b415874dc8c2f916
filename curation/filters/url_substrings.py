"""Block lists of what a url must not contain (RefinedWeb, Penedo et al. 2023, appendix G.1, as DCLM's code states it).
The lists are the user's; no list is included."""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from curation.filters.columns import batch_of, count
from curation.filters.rules import Rule, active_rules
from curation.lists.list_files import digests, entries_of, forget


@dataclass(frozen=True, kw_only=True)
class UrlSubstrings:
    """Rejects documents whose url contains at least ``min_substrings`` different ones of a list. A missing url fails no
    rule.

    An entry that starts with @ names a file with one entry per line (`list_files`).
    """

    use: Literal["url_substrings"] = "url_substrings"
    substrings: tuple[str, ...] = ()
    min_substrings: int = 1
    whole_words: bool = False
    """Whether a substring counts only without a letter, digit or underscore on either side."""
    case_sensitive: bool = False
    ignored: str = ""
    """Characters that are left out of the url first, such as "-." against ba-d.wo-rd."""

    signals: ClassVar[pa.Schema] = pa.schema([count("url_substrings", "different listed substrings of the url")])

    def read_lists(self) -> None:
        """Reads the list again. Raises UserError for a file that cannot be read."""
        forget(self.use)
        _ready.cache_clear()
        _ready(self)

    def list_digests(self) -> dict[str, str]:
        """The SHA-256 (in hexadecimal) of the entries of each file, by file name."""
        return digests(self.substrings, self.use)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        found = [float(self._count(url)) if url else 0.0 for url in batch["url"].to_pylist()]
        return batch_of([np.array(found, np.float64)], self.signals)

    def _count(self, url: str) -> int:
        """The number of different substrings, from left to right without overlap, the longest first."""
        listed, lengths = _ready(self)
        for character in self.ignored:
            url = url.replace(character, "")
        if not self.case_sensitive:
            url = url.lower()
        found, place = set[str](), 0
        while place < len(url):
            match = next((size for size in lengths if self._stands(url, place, size, listed)), 0)
            found |= {url[place : place + match]} if match else set()
            place += match or 1
        return len(found)

    def _stands(self, url: str, place: int, size: int, listed: frozenset[str]) -> bool:
        if url[place : place + size] not in listed or place + size > len(url):
            return False
        return not self.whole_words or (_is_edge(url, place) and _is_edge(url, place + size))

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("url_substrings", "url_substrings", at_most=self.min_substrings - 1 if self.substrings else None)
        )


@cache
def _ready(step: UrlSubstrings) -> tuple[frozenset[str], tuple[int, ...]]:
    """The entries, and their lengths from the longest on."""
    entries = [entry.strip() for entry in entries_of(step.substrings, step.use)]
    listed = frozenset(entry if step.case_sensitive else entry.lower() for entry in entries) - {""}
    return listed, tuple(sorted({len(entry) for entry in listed}, reverse=True))


def _is_edge(url: str, place: int) -> bool:
    """Whether a word begins or ends at this place."""
    return _in_word(url[place - 1 : place]) != _in_word(url[place : place + 1])


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"
