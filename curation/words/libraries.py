"""Libraries that split languages written without spaces between words (and Korean into morphemes).

They are the extra ``languages`` of the package; each carries its dictionary or model. A library is imported when the
first text is split, and gives equal words for equal texts. A text is split by itself, whatever texts are around it.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, NamedTuple

from schemas.errors import UserError

Library = Literal["jieba", "sudachi", "pythainlp", "khmercut", "laonlp", "kiwi"]
Span = tuple[int, int]
"""The first character of a word, and the character after its last."""
_SUDACHI_CHARACTERS = 12_000
"""SudachiPy refuses texts of more than 49,149 bytes (a character has up to 4), so longer texts are cut into pieces."""


class Source(NamedTuple):
    """The packages of a library: the one that is imported, and the one with its dictionary if that is another."""

    packages: tuple[str, ...]
    spans: Callable[[str], Iterator[Span]]


def missing(library: str) -> tuple[str, ...]:
    """The packages of a library that are not installed."""
    return tuple(package for package, found in _versions(library).items() if not found)


def versions(library: str) -> dict[str, str]:
    """The version of each package of a library. Raises UserError if a package is not installed."""
    if absent := missing(library):
        raise UserError(
            f"splitting words with {library} needs {' and '.join(absent)}: install gristmill with its extra languages "
            "(pip install 'gristmill[languages]')"
        )
    return _versions(library)


def spans(library: str, text: str) -> Iterator[Span]:
    """The words of a text, in order; white space is in no word. Morphemes of Korean may share a character.

    Raises UserError if the library is not installed.
    """
    if missing(library):
        versions(library)
    return SOURCES[library].spans(text)


@cache
def _versions(library: str) -> dict[str, str]:
    found = {}
    for package in SOURCES[library].packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    return found


def _in_order(text: str, pieces: Sequence[str]) -> Iterator[Span]:
    """Where the pieces of a text are. A piece that the library changed is left out."""
    place = 0
    for piece in pieces:
        start = text.find(piece, place)
        if start < 0:
            continue
        place = start + len(piece)
        stripped = piece.strip()
        if stripped:
            first = start + piece.index(stripped)
            yield first, first + len(stripped)


def _chinese(text: str) -> Iterator[Span]:
    return _in_order(text, _imported("rjieba").cut(text))


def _japanese(text: str) -> Iterator[Span]:
    tokenizer, place = _sudachi(), 0
    for piece in _short_pieces(text, _SUDACHI_CHARACTERS):
        for start, end in _in_order(piece, [morpheme.surface() for morpheme in tokenizer.tokenize(piece)]):
            yield place + start, place + end
        place += len(piece)


@cache
def _sudachi() -> Any:
    """Sudachi with its mode A, the shortest words, as in spaCy."""
    package = _imported("sudachipy")
    return package.Dictionary(dict="core").tokenizer(package.SplitMode.A)


def _short_pieces(text: str, most: int) -> Iterator[str]:
    """Cuts a text into pieces of at most ``most`` characters, after a line end if there is one.

    >>> list(_short_pieces("ab\\ncd\\nefghij", 6))
    ['ab\\ncd\\n', 'efghij']
    """
    while len(text) > most:
        cut = text.rfind("\n", 0, most) + 1 or most
        yield text[:cut]
        text = text[cut:]
    yield text


def _thai(text: str) -> Iterator[Span]:
    """The algorithm newmm with its guard against texts of many ambiguities, as in FineWeb2."""
    return _in_order(text, _imported("pythainlp.tokenize.newmm").segment(text, safe_mode=True))


def _khmer(text: str) -> Iterator[Span]:
    return _in_order(text, _imported("khmercut").tokenize(text))


def _lao(text: str) -> Iterator[Span]:
    return _in_order(text, _imported("laonlp.tokenize").word_tokenize(text))


def _korean(text: str) -> Iterator[Span]:
    for token in _kiwi().tokenize(text):
        if token.end > token.start:
            yield token.start, token.end


@cache
def _kiwi() -> Any:
    return _imported("kiwipiepy").Kiwi(num_workers=1)


@cache
def _imported(module: str) -> Any:
    return import_module(module)


SOURCES: dict[str, Source] = {
    "jieba": Source(("rjieba",), _chinese),
    "sudachi": Source(("sudachipy", "sudachidict_core"), _japanese),
    "pythainlp": Source(("pythainlp",), _thai),
    "khmercut": Source(("khmercut", "python-crfsuite"), _khmer),
    "laonlp": Source(("laonlp", "pythainlp"), _lao),
    "kiwi": Source(("kiwipiepy", "kiwipiepy_model"), _korean),
}
"""The libraries by the names that recipes use."""
