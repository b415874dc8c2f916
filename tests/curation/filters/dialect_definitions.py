"""The signals of Gopher's rules by any definition, in plain Python, straight from what the fields say."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from curation.filters.definitions import QualityDefinition, RepetitionDefinition
from tests.curation.filters.definitions import share

Signals = dict[str, float | None]
WORDS: dict[str, Callable[[str], list[str]]] = {
    "white_space": str.split,
    "fasttext": lambda text: [word for word in re.split("[\0 \t-\r]", text) if word[:1].isalnum()],
    "characters": lambda text: [letter for letter in text if not letter.isspace()],
}
"""The kinds of words that a line of Python tells; `test_word_splitters` tests all kinds."""
BREAKS: dict[str, Callable[[str], list[str]]] = {
    "unicode": str.splitlines,
    "newline": lambda text: text.split("\n"),
    "newlines": lambda text: re.split("\n+", text),
    "two_newlines": lambda text: text.split("\n\n"),
    "blank_lines": lambda text: re.split("\n{2,}", text.strip()),
    "none": lambda text: [],
}


def quality(text: str, by: QualityDefinition) -> Signals:
    words = WORDS[by.words](text)
    proper = [word for word in words if not re.fullmatch(r"[!-/:-@\[-`{-~…•]+", word) or word.strip("•") == ""]
    of = {True: words, False: proper}
    counted = of[by.count_punctuation]
    lengths = sorted(len(word) if by.length_unit == "characters" else len(word.encode()) for word in counted)
    typical: float | None = share(sum(lengths), len(lengths))
    if by.word_length == "median":
        typical = median(lengths) if lengths else None
    divisor = len(of[by.symbol_punctuation]) - (2 * text.count(". . .") if by.join_spaced else 0)
    marks = ("#", *by.ellipses)
    together = {
        "summed": sum(map(text.count, marks)),
        "containing": sum(any(mark in word for mark in marks) for word in words),
        "alone": sum(word in marks for word in words),
    }
    apart = by.symbols == "each"
    bullets = kept(BREAKS[by.line_breaks](text) if text else [], by.bullet_lines, by.strip_lines)
    dots = kept(BREAKS[by.line_breaks](text) if text else [], by.ellipsis_lines, by.strip_lines)
    stops = [word for word in words if (word.lower() if by.ignore_case else word) in by.stop_words]
    if by.stop_words_counted == "different":
        stops = list({word.lower() if by.ignore_case else word for word in stops})
    lettered = [word for word in of[by.alpha_punctuation] if any(map(str.isalpha, word))]
    return {
        "words": len(counted if by.counted_words is None else WORDS[by.counted_words](text)),
        "mean_word_length": typical,
        "hash_ratio": share(text.count("#") if apart else together[by.symbols], divisor),
        "ellipsis_ratio": share(sum(map(text.count, by.ellipses)), divisor) if apart else None,
        "bullet_lines": share(sum(line.startswith(by.bullets) for line in bullets), len(bullets)),
        "ellipsis_lines": share(sum(line.lower().endswith(by.ellipses) for line in dots), len(dots)),
        "alpha_words": share(len(lettered), len(of[by.alpha_punctuation])),
        "stop_words": len(stops),
    }


def kept(pieces: Sequence[str], which: str, stripped: bool) -> list[str]:
    pieces = [piece.strip() if stripped else piece for piece in pieces]
    return [piece for piece in pieces if which == "all" or piece.strip() or (piece and which == "not_empty")]


def repetition(text: str, by: RepetitionDefinition) -> Signals:
    def length(piece: str) -> int:
        return len(piece) if by.length_unit == "characters" else len(piece.encode())

    words = WORDS[by.words](text)
    signals: Signals = {}
    for name, breaks, which in (("paragraph", by.paragraph_breaks, by.paragraphs), ("line", by.line_breaks, by.lines)):
        pieces = kept(BREAKS[breaks](text), which, by.strip_pieces) if text else []
        counts = Counter(pieces)
        again = [piece for place, piece in enumerate(pieces) if piece in pieces[:place]]
        if by.duplicate_pieces == "all":
            again = [piece for piece in pieces if counts[piece] > 1]
        over = {"text": [text], "pieces": pieces, "words": words}[by.pieces_over]
        signals[f"duplicate_{name}s"] = share(len(again), len(pieces))
        whole = sum(map(length, over)) if pieces else 0
        signals[f"duplicate_{name}_characters"] = share(sum(map(length, again)), whole)
    whole = length(text) if by.ngrams_over == "text" else sum(map(length, words))
    for size in range(2, 11):
        name = f"top_{size}_gram" if size < 5 else f"duplicate_{size}_gram"
        if len(words) < size:
            signals[name] = share(whole if by.short_texts == "one" else 0, whole)
        elif size < 5:
            signals[name] = share(top(text, words, size, by, length), whole)
        else:
            signals[name] = duplicates(words, size, by, length, whole)
    return signals


def top(text: str, words: list[str], size: int, by: RepetitionDefinition, length: Callable[[str], int]) -> int:
    grams = list(zip(*(words[k:] for k in range(size)), strict=False))
    counts = Counter(grams)
    most = max(counts.values())
    if most < by.top_least:
        return 0
    equals = [gram for gram in counts if counts[gram] == most]
    best = max(equals, key=lambda gram: sum(map(length, gram))) if by.top_ties == "longest" else equals[0]
    characters = sum(map(length, best)) + (size - 1 if by.spaces else 0)
    if by.top_counted == "replaced":
        return len(text) - len(text.replace(" ".join(best), ""))
    if by.top_counted == "once":
        places = [place for place, gram in enumerate(grams) if gram == best]
        return covered(words, places, size, by, length)
    return most * characters


def duplicates(
    words: list[str], size: int, by: RepetitionDefinition, length: Callable[[str], int], whole: int
) -> float | None:
    grams = list(zip(*(words[k:] for k in range(size)), strict=False))
    counts = Counter(grams)
    repeated = [place for place, gram in enumerate(grams) if counts[gram] > 1]
    if by.duplicate_ngrams == "all":
        every = [sum(map(length, gram)) for gram in grams]
        return share(sum(every[place] for place in repeated), sum(every))
    if by.duplicate_ngrams == "later_apart":
        return share(sum(map(length, apart(grams, size))), whole)
    if by.duplicate_ngrams == "later":
        repeated = [place for place in repeated if grams[place] in grams[:place]]
    return share(covered(words, repeated, size, by, length), whole)


def apart(grams: list[tuple[str, ...]], size: int) -> Iterator[str]:
    """The words of n-grams seen before, from left to right without overlap."""
    seen, place = set(), 0
    while place < len(grams):
        if grams[place] in seen:
            yield from grams[place]
            place += size
        else:
            seen.add(grams[place])
            place += 1


def covered(
    words: list[str], places: list[int], size: int, by: RepetitionDefinition, length: Callable[[str], int]
) -> int:
    """The length of the words at some places, each word once, with the space before each word but a first one."""
    inside = {place + k for place in places for k in range(size)}
    spaces = sum(min(size - 1, after - before) for before, after in pairwise(places)) + (size - 1 if places else 0)
    return sum(length(words[k]) for k in inside) + (spaces if by.spaces else 0)
