"""Stop words of 1,929 languages, as FineWeb2 publishes them (huggingface/fineweb-2 at d0defb2, Apache-2.0), and of
English: of which language a text has the most."""

import gzip
import json
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels.buffers import text_buffers
from curation.kernels.word_tables import STOP_WORDS
from curation.words.splitting import words_in

FILE = "fineweb2.jsonl.gz"
"""The published settings for each language, among them its stop words."""
ENGLISH = "eng_Latn"


class OtherStopWords(NamedTuple):
    """For each text the other language with the most stop words in it, and the number of different stop words of that
    language; null and 0 if the text has enough stop words of its own language, or no more of any other language."""

    languages: pa.StringArray
    counts: npt.NDArray[np.int64]


def published_bytes() -> bytes:
    """The bytes of the data file."""
    return files("curation.words").joinpath(FILE).read_bytes()


def published_rows() -> list[dict[str, Any]]:
    """The published settings, by language and script in the field ``language``."""
    return [json.loads(line) for line in gzip.decompress(published_bytes()).decode().splitlines()]


def most_other_stop_words(
    texts: pa.LargeStringArray, kind: str, own: str, counted: npt.NDArray[np.int64], least: int
) -> OtherStopWords:
    """The other language of which each text has the most stop words: at least ``least`` different ones, and more than
    ``counted``, the number for the text's own language ``own`` (such as deu_Latn). ``kind``, a WordKind, says how texts
    are split into words."""
    counts = np.zeros(len(texts), np.int64)
    names: list[str | None] = [None] * len(texts)
    rows = np.flatnonzero(counted < least)
    if len(rows):
        few = texts.take(pa.array(rows))
        data, words = text_buffers(few)[0].tobytes(), words_in(few, kind)
        bounds = list(zip(words.starts.tolist(), words.ends.tolist(), strict=True))
        for number, row in enumerate(rows.tolist()):
            first, last = words.firsts[number], words.firsts[number + 1]
            name, count = _most({data[start:end] for start, end in bounds[first:last]}, own.partition("_")[0])
            if count >= least and count > counted[row]:
                names[row], counts[row] = name, count
    return OtherStopWords(pa.array(names, pa.string()), counts)


def _most(words: set[bytes], own: str) -> tuple[str | None, int]:
    """The language other than ``own`` with the most stop words among some words, the first by name of equals."""
    met: Counter[str] = Counter()
    for word in words & _languages().keys():
        met.update(_languages()[word])
    found = [(-count, name) for name, count in met.items() if name.partition("_")[0] != own]
    if not found:
        return None, 0
    count, name = min(found)
    return name, -count


@cache
def _languages() -> dict[bytes, tuple[str, ...]]:
    """The languages of which each word is a stop word."""
    found: dict[bytes, list[str]] = {word.encode(): [ENGLISH] for word in STOP_WORDS}
    for row in published_rows():
        for word in row["stopwords"]:
            found.setdefault(word.encode(), []).append(row["language"])
    return {word: tuple(names) for word, names in found.items()}
