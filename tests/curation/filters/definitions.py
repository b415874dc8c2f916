"""The signals in plain Python, straight from their definitions, for texts whose words `words_of` can tell."""

import re
from collections import Counter
from collections.abc import Sequence

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
MARKS = (".", "?", "!", ",", ";", ":", "...", "…", "#", "-", "•", ")", "{")
"""Words of punctuation alone that no rule splits, each to stand alone. The bullet is a symbol, no punctuation mark of
datatrove's list."""


def words_of(text: str) -> list[str]:
    """The words of a text in which every word and mark stands alone."""
    return text.split()


def gopher(text: str) -> dict[str, float | None]:
    """The signals of gopher_quality and gopher_repetition."""
    words = words_of(text)
    lines = text.splitlines()
    proper = [word for word in words if word not in MARKS or word == "•"]
    signals: dict[str, float | None] = {
        "words": len(proper),
        "mean_word_length": share(sum(map(len, proper)), len(proper)),
        "hash_ratio": share(text.count("#"), len(words)),
        "ellipsis_ratio": share(text.count("...") + text.count("…"), len(words)),
        "bullet_lines": share(sum(line.lstrip().startswith(("•", "-")) for line in lines), len(lines)),
        "ellipsis_lines": share(sum(line.rstrip().endswith(("...", "…")) for line in lines), len(lines)),
        "alpha_words": share(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "stop_words": len(set(words) & set(STOP_WORDS)),
    }
    for name, pieces in (("paragraph", re.split("\n{2,}", text.strip())), ("line", re.split("\n+", text))):
        again = [piece for place, piece in enumerate(pieces) if piece in pieces[:place]]
        signals[f"duplicate_{name}s"] = share(len(again), len(pieces) if text else 0)
        signals[f"duplicate_{name}_characters"] = share(sum(map(len, again)), len(text))
    for size in (2, 3, 4):
        signals[f"top_{size}_gram"] = share(top_characters(words, size), len(text))
    for size in (5, 6, 7, 8, 9, 10):
        signals[f"duplicate_{size}_gram"] = share(duplicate_characters(words, size), len(text))
    return signals


def top_characters(words: Sequence[str], size: int) -> int:
    """Characters of all occurrences of the most frequent n-gram, the first among equals, with single spaces."""
    grams = Counter(" ".join(words[k : k + size]) for k in range(len(words) - size + 1))
    return sum(len(gram) * count for gram, count in grams.most_common(1))


def duplicate_characters(words: Sequence[str], size: int) -> int:
    """Characters of the n-grams seen before, from left to right without overlap."""
    seen, found, place = set(), 0, 0
    while place + size <= len(words):
        gram = tuple(words[place : place + size])
        if gram in seen:
            found += sum(map(len, gram))
            place += size
        else:
            seen.add(gram)
            place += 1
    return found


def page(text: str) -> dict[str, float | None]:
    """The signals of c4_pages and fineweb."""
    lines = [line for line in text.split("\n") if line.strip()]
    again = [line for place, line in enumerate(lines) if line in lines[:place]]
    return {
        "sentences": sum(map(sentences, text.splitlines())),
        "lorem_ipsum": text.lower().count("lorem ipsum"),
        "curly_brackets": text.count("{"),
        "lines": len(lines),
        "line_punctuation": share(sum(line.endswith((".", "?", "!")) for line in lines), len(lines)),
        "short_lines": share(sum(len(line) <= 30 for line in lines), len(lines)),
        "duplicate_characters": share(sum(map(len, again)), len(text.replace("\n", ""))),
        "newlines_per_word": share(text.count("\n"), len(words_of(text))),
    }


def sentences(line: str) -> int:
    """Sentences of a line: one ends behind . ? ! and the punctuation that follows it.

    White space that is more than one space counts as a word, as in spaCy.
    """
    count, ended = 0, False
    for part in re.split(r"(\s+)", line.strip()):
        if not part or part == " ":
            continue
        if count == 0:
            count = 1
        elif ended and part not in MARKS:
            count, ended = count + 1, False
        ended = ended or part in (".", "?", "!")
    return count


def characters(text: str) -> dict[str, float | None]:
    """The signals of characters."""
    kinds = {
        "alphanumeric_share": str.isalnum,
        "letter_share": str.isalpha,
        "digit_share": str.isdigit,
        "capital_share": str.isupper,
        "space_share": str.isspace,
        "symbol_share": lambda character: not character.isalnum() and not character.isspace(),
        "bracket_share": lambda character: character in "{}[]()\u27e8\u27e9",
    }
    shares = {name: share(sum(map(kind, text)), len(text)) for name, kind in kinds.items()}
    return {"characters": len(text), "stripped_characters": len(text.strip()), **shares}


def line_lengths(text: str) -> dict[str, float | None]:
    """The signals of line_lengths."""
    lengths = [len(line) for line in text.splitlines()]
    return {
        "mean_line_length": share(sum(lengths), len(lengths)),
        "longest_line": max(lengths, default=0),
        "long_lines": sum(length >= 200 for length in lengths),
    }


def comments(text: str) -> dict[str, float | None]:
    """The signals of comments, for texts without slashes and quotes."""
    assert not set(text) & set("/\"'")
    return {"comments": 0, "comment_share": share(0, len(text))}


def madlad(text: str) -> dict[str, float | None]:
    """The signals of madlad, without patterns and languages."""
    found = [sentence for sentence in re.split(r"[.!?]+\s+", text) if sentence.strip()]
    words = [re.findall(r"\w+", sentence) for sentence in found]
    lists = [len(each) >= 12 and sum(word[0].isupper() for word in each) > len(each) / 2 for each in words]
    odd = [not 20 <= len(sentence) <= 500 for sentence in found]
    technical = [sum(letter in "0123456789{}+/()>" for letter in sentence) > len(sentence) * 0.2 for sentence in found]
    hits = {"list_case_sentences": lists, "odd_length_sentences": odd, "technical_sentences": technical}
    return {
        "split_sentences": len(found),
        "questionable_sentences": share(sum(map(any, zip(*hits.values(), strict=True))), len(found)),
        "foreign_sentences": share(0, len(found)),
        "cursed_sentences": share(0, len(found)),
        **{name: share(sum(hit), len(found)) for name, hit in hits.items()},
    }


def removed_words(text: str) -> dict[str, float | None]:
    """The signal of removed_words where nothing rewrote the text."""
    return {"removed_words": share(0, len(re.findall(r"\w+", text)))}


def share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


DEFINITIONS = (gopher, page, characters, line_lengths, comments, madlad, removed_words)
"""All definitions. Together they define each signal that `test_signals` generates texts for."""
