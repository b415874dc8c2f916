"""Finds the passages of a text that a rule counts, to mark them in an excerpt for people.

The search is simple and knows no dialect of a rule, so it may mark a little more or less than the rule counted.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial

from curation.filters.hosts import host_of

Spans = list[tuple[int, int]]

EXCERPT = 900
"""The length of an excerpt, in characters."""
_BEFORE = 120
"""How much of the text an excerpt shows before the first passage."""
_COMPARED_WORDS = 300
_SHORT_LINE = 30
_LONG_WORD = 10
_NGRAM = re.compile(r"(top|duplicate)_(\d{1,2})_gram")
_ABOUT_HOSTS = ("url_host", "url_domain", "sites")
_ABOUT_URLS = ("url_address", "url_words", "url_subwords", "url_soft_words", "url_substrings", "robots_refused", "url")
_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\n]+")
_PARAGRAPH = re.compile(r"[^\n](?:(?!\n\n).)*", re.DOTALL)
_END_MARKS = ".!?…\"'”’"


@dataclass(frozen=True)
class Part:
    """A part of an excerpt; ``marked`` if the rule counts it."""

    text: str
    marked: bool = False


def passages(signal: str, text: str) -> Spans:
    """The spans (in characters, ascending, apart) that a rule on a signal counts; empty if the signal is not about
    single passages, or not known here."""
    found = _SEARCHES.get(signal)
    if found is not None:
        return joined(found(text))
    ngram = _NGRAM.fullmatch(signal)
    if ngram is None:
        return []
    return joined((_top if ngram[1] == "top" else _repeated)(text, int(ngram[2])))


def url_spans(rule: str, url: str) -> Spans:
    """The span of a url (in characters) that a rule on the signal, or a stage without signals, is about: its host, or
    the whole url; empty if the rule is not about urls.

    >>> url_spans("url_domain", "https://mill.example/a"), url_spans("words", "https://mill.example/a")
    ([(8, 20)], [])
    """
    if rule in _ABOUT_HOSTS and (host := host_of(url)) and (start := url.lower().find(host)) >= 0:
        return [(start, start + len(host))]
    return [(0, len(url))] if url and rule in (*_ABOUT_HOSTS, *_ABOUT_URLS) else []


def unmarked(signal: str | None) -> str:
    """Why an example has no marked passage, for a rule on the signal, or for a stage without signals (None)."""
    if signal in _SEARCHES or _NGRAM.fullmatch(signal or ""):
        return "No passage is marked: the search finds none at the beginning of the text."
    if signal and signal.startswith("contaminated_"):
        return "No passage is marked: the corpus does not hold the place of the passage in this text."
    return "No passage is marked: the rule is about the document as a whole."


def excerpt(text: str, spans: Spans, length: int = EXCERPT) -> list[Part]:
    """About ``length`` characters of a text around its first passage, divided at the passages; ... stands where text is
    left out.

    >>> [part.text for part in excerpt("grain and flour", [(6, 9)])]
    ['grain ', 'and', ' flour']
    """
    start = max(0, spans[0][0] - _BEFORE) if spans and spans[0][1] > length else 0
    end = min(len(text), start + length)
    parts, at = [Part("... ")] if start else [], start
    for low, high in spans:
        if low >= end:
            break
        parts += [Part(text[at:low]), Part(text[low : min(high, end)], True)]
        at = min(high, end)
    parts += [Part(text[at:end]), *([Part(" ...")] if end < len(text) else [])]
    return [part for part in parts if part.text]


def beginning(text: str, length: int = EXCERPT) -> list[Part]:
    """The beginning of a text, without marks."""
    return excerpt(text, [], length)


def differing(text: str, other: str) -> tuple[Spans, Spans]:
    """The words in which two texts differ, in each of them, among their first words from the first difference on."""
    words, others = ([match.span() for match in _WORD.finditer(each)] for each in (text, other))
    pairs = zip(words, others, strict=False)
    same = next((n for n, (a, b) in enumerate(pairs) if text[slice(*a)] != other[slice(*b)]), 0)
    own, theirs = words[same:][:_COMPARED_WORDS], others[same:][:_COMPARED_WORDS]
    matcher = SequenceMatcher(
        None, [text[slice(*each)] for each in own], [other[slice(*each)] for each in theirs], autojunk=False
    )
    left, right = [], []
    for kind, low, high, other_low, other_high in matcher.get_opcodes():
        if kind != "equal":
            left += [(own[low][0], own[high - 1][1])] if high > low else []
            right += [(theirs[other_low][0], theirs[other_high - 1][1])] if other_high > other_low else []
    return left, right


def joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """The spans, ascending; spans that touch become one."""
    found: Spans = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif end > start:
            found.append((start, end))
    return found


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in pattern.finditer(text))


def _again(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """The matches that occurred before."""
    seen = set[str]()
    for match in pattern.finditer(text):
        if (known := match[0].strip()) in seen:
            yield match.span()
        elif known:
            seen.add(known)


def _chosen(
    pattern: re.Pattern[str], chosen: Callable[[str], bool], text: str, last_word: bool = False
) -> Iterator[tuple[int, int]]:
    """The matches for which ``chosen`` is true, or only their last words."""
    for match in pattern.finditer(text):
        line = match[0].strip()
        if line and chosen(line):
            start = match.start() + (match[0].rstrip().rfind(" ") + 1 if last_word else 0)
            yield start, match.end()


def _ngrams(text: str, size: int) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """The n-grams of words with their start and end."""
    words = [(match[0].lower(), match.start(), match.end()) for match in re.finditer(r"\w+", text)]
    for first in range(len(words) - size + 1):
        gram = words[first : first + size]
        yield tuple(word for word, _, _ in gram), gram[0][1], gram[-1][2]


def _top(text: str, size: int) -> Iterator[tuple[int, int]]:
    """The occurrences of the n-gram that takes the most characters in all."""
    counted = Counter(gram for gram, _, _ in _ngrams(text, size))
    top = max(counted, key=lambda gram: counted[gram] * sum(map(len, gram)), default=())
    yield from ((start, end) for gram, start, end in _ngrams(text, size) if gram == top)


def _repeated(text: str, size: int) -> Iterator[tuple[int, int]]:
    """The n-grams that occurred before."""
    seen = set[tuple[str, ...]]()
    for gram, start, end in _ngrams(text, size):
        if gram in seen:
            yield start, end
        seen.add(gram)


_SEARCHES: Mapping[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "lorem_ipsum": partial(_matches, re.compile("lorem ipsum", re.IGNORECASE)),
    "curly_brackets": partial(_matches, re.compile("[{}]")),
    "hash_ratio": partial(_matches, re.compile("#")),
    "ellipsis_ratio": partial(_matches, re.compile(r"…|\.\.\.")),
    "ellipsis_lines": partial(_chosen, _LINE, lambda line: line.endswith(("…", "...")), last_word=True),
    "bullet_lines": partial(_matches, re.compile(r"^[ \t]*[-*•●‣◦]", re.MULTILINE)),
    "alpha_words": partial(_chosen, _WORD, lambda word: not any(map(str.isalpha, word))),
    "mean_word_length": partial(_chosen, _WORD, lambda word: len(word) > _LONG_WORD),
    "short_lines": partial(_chosen, _LINE, lambda line: len(line) <= _SHORT_LINE),
    "line_punctuation": partial(_chosen, _LINE, lambda line: line[-1] not in _END_MARKS, last_word=True),
    "duplicate_lines": partial(_again, _LINE),
    "duplicate_line_characters": partial(_again, _LINE),
    "duplicate_characters": partial(_again, _LINE),
    "duplicate_paragraphs": partial(_again, _PARAGRAPH),
    "duplicate_paragraph_characters": partial(_again, _PARAGRAPH),
}
