"""What tests of all identifiers of languages have in common."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from curation.filters.language import Language

Found = tuple[str | None, float | None]
"""A label and its score."""
Agrees = Callable[[str, str | None, float | None], bool]
"""Whether an oracle says the same label and score of a text."""


def identified(texts: list[str], identifier: str, characters: int = 1000) -> list[Found]:
    """The label and the score of each text."""
    batch = pa.RecordBatch.from_arrays([pa.array(texts, pa.large_string())], ["text"])
    found = Language(identifier=identifier, characters=characters).measure(batch)
    return list(zip(found["language"].to_pylist(), found["language_score"].to_pylist(), strict=True))


def check_texts(texts: list[str], found: list[Found], agrees: Agrees) -> None:
    """Only blank texts have no label, and the oracle agrees with the labels and scores of all others."""
    for text, (label, score) in zip(texts, found, strict=True):
        if label is None:
            assert score is None
            assert not text.strip(" \n\t\r\v\f\0")
        else:
            assert agrees(text, label, score), (text, label, score)


def check_only_the_first_characters_are_seen(identifier: str, agrees: Agrees) -> None:
    english, russian = "The weather is fine and we go out. ", "Сегодня хорошая погода, и мы идём гулять. "
    text = english * 3 + russian * 40
    assert identified([text], identifier, len(english) * 3)[0][0] == "en"
    assert identified([text], identifier)[0][0] == "ru"
    for characters in (1, 2, len(english) * 3 + 7, 10_000):
        assert agrees(text[:characters], *identified([text], identifier, characters)[0])


def read_sentences(shared: Path) -> list[dict[str, str]]:
    """Sentences in 75 languages: ``text`` and ``lang``."""
    with gzip.open(shared / "data" / "languages" / "sentences.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
