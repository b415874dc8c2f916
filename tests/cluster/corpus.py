"""A corpus of English sentences that most rules let pass, with planted duplicates; the same bytes each time."""

import json
from pathlib import Path

import numpy as np

NOUNS = [
    *("mill", "river", "baker", "village", "bread", "flour", "wheel", "valley", "winter"),
    *("harvest", "market", "bridge", "farmer", "garden", "road", "stone", "horse", "cart"),
    *("field", "barn", "letter", "neighbour", "miller", "school", "daughter", "teacher", "lantern"),
    *("evening", "kitchen", "window", "roof", "forest"),
]
VERBS = ["carried", "watched", "mended", "remembered", "followed", "painted", "sold", "opened", "counted", "visited"]
PLACES = ["near", "behind", "beside", "beyond", "below", "above"]
SENTENCES = 6_000
LENGTHS = 6, 18
"""Sentences of a document."""
COPIES, VARIANTS, SHORT = 0.1, 0.2, 0.25
"""Below these draws from [0, 1) a document is a copy of another, one with another first sentence, or too short."""


def sentences(chance: np.random.Generator) -> list[str]:
    nouns = np.array(NOUNS)[chance.integers(0, len(NOUNS), (SENTENCES, 5))].tolist()
    verbs = np.array(VERBS)[chance.integers(0, len(VERBS), (SENTENCES, 2))].tolist()
    places = np.array(PLACES)[chance.integers(0, len(PLACES), SENTENCES)].tolist()
    years = chance.integers(1700, 2000, SENTENCES).tolist()
    return [
        f"In {year} the {a} {v} a {b} {place} the {c}, and that {d} was {w} to this day with {e} and {year + 7} others."
        for (a, b, c, d, e), (v, w), place, year in zip(nouns, verbs, places, years, strict=True)
    ]


def write_corpus(folder: Path, size: int, files: int = 8) -> Path:
    """About ``size`` bytes of JSON lines in so many files."""
    chance = np.random.default_rng(7)
    known = sentences(chance)
    texts: list[list[int]] = []
    folder.mkdir(parents=True)
    for number in range(files):
        written = 0
        with (folder / f"{number}.jsonl").open("w") as stream:
            while written < size // files:
                text = _document(chance, texts)
                url = f"https://h{len(texts) % 500}.example/{len(texts)}"
                texts.append(text)
                written += stream.write(json.dumps({"text": "\n".join(known[at] for at in text), "url": url}) + "\n")
    return folder


def _document(chance: np.random.Generator, earlier: list[list[int]]) -> list[int]:
    """The sentences of a document, by their numbers."""
    draw = chance.random()
    if earlier and draw < VARIANTS:
        chosen = earlier[int(chance.integers(0, len(earlier)))]
        return chosen if draw < COPIES else [int(chance.integers(0, SENTENCES)), *chosen[1:]]
    length = 1 if draw < SHORT else int(chance.integers(*LENGTHS))
    return chance.integers(0, SENTENCES, length).tolist()  # type: ignore[no-any-return]
