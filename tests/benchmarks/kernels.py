"""How many times as fast as a library each kernel is that stands in for one: ``python -m tests.benchmarks.kernels``.

A kernel and its library take turns, and the turn of each that took the least CPU time counts. The texts are the
descriptions of the Python packages that are installed. Kernels without a row stand in for no library.

Twice the speed is asked, except where the library does less. Arrow's reader of JSON tells neither where a line stands
nor what its other fields are, and reads no block in which a line is broken. The scanner of Python's json takes NaN for
a number, and cannot go on with an object that ends in the next read.
"""

import json
import os
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import ftfy
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
import spacy
import xxhash
from datasketch import MinHash
from fasttext.FastText import _FastText
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from rich.console import Console
from rich.table import Table
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from curation.dedup.settings import Near
from curation.dedup.sketch import signature_matrix
from curation.fasttext.model import read_model
from curation.fasttext.training import LabelledTexts, Training
from curation.fasttext.writing import write_model
from curation.filters.identifiers import PY3LANGID
from curation.filters.language import Language
from curation.filters.lid_model import model_path
from curation.kernels.buffers import text_buffers
from curation.kernels.contacts import notice_contacts
from curation.kernels.json_nesting import OUTSIDE, object_end
from curation.kernels.minhash import equal_shares
from curation.kernels.prefixes import find_prefixes
from curation.kernels.union_find import union
from curation.kernels.word_tables import word_tables
from curation.kernels.words import words_of
from curation.rewrites.normalise import _ENCODING_ONLY, Normalise
from curation.rewrites.service_keys import FORMATS, PREFIXES
from curation.sources.chunks import Chunk, ChunkBuilder, ReadingSettings
from curation.sources.inputs import InputFile, Span
from curation.sources.json_columns import LineParser
from curation.sources.json_objects import Fields, parse_object

TURNS = 5
TEXTS, LENGTH = 300, 2000
"""Number of texts and their characters."""
NODES, EDGES = 500_000, 250_000
CONTACTS = r"@|(?:[0-9]{1,3}\.){3}[0-9]|[0-9A-Fa-f]::|::[0-9A-Fa-f]|(?:[0-9A-Fa-f]{1,4}:){7}"
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Race:
    kernel: str
    library: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    asked: str = "2 times"

    def times(self) -> float:
        """CPU time of the library's fastest turn in that of the kernel's."""
        fastest = [float("inf")] * 2
        for turn in range(TURNS + 1):
            for n, work in enumerate((self.ours, self.theirs)):
                started = time.process_time()
                work()
                if turn:  # the first one warms up
                    fastest[n] = min(fastest[n], time.process_time() - started)
        return fastest[1] / fastest[0]


def classifier_race(column: pa.Array, texts: list[str]) -> Race:
    """A classifier of two labels with n-grams of two words and 100 dimensions, as fastText makes them by default."""
    with TemporaryDirectory() as folder, LabelledTexts() as examples:
        for label, part in enumerate((column.slice(0, len(column) // 2), column.slice(len(column) // 2))):
            examples.add(part, label)
        settings = Training(dimensions=100, ngrams=2, buckets=1 << 20, epochs=1)
        path = Path(folder) / "model.bin"
        write_model(path, examples.train(("one", "two"), settings, np.arange(len(column)), lambda steps: None))
        ours, theirs = read_model(path), _FastText(str(path)).f
    lines = [" ".join(text.split()) + "\n" for text in texts]
    return Race(
        "fasttext, two labels",
        "fastText",
        lambda: ours.probabilities(column, ours.labels),
        lambda: [theirs.predict(line, 2, 0.0, "strict") for line in lines],
        asked="0.5 times",
    )


def races(texts: list[str]) -> Iterator[Race]:
    column = pa.array(texts, pa.large_string())
    yield from json_races(texts)
    normalise = Normalise()
    yield Race("odd_characters", "ftfy", lambda: normalise.rewrite(column), lambda: [_fixed(text) for text in texts])
    tables, tokeniser = word_tables(), spacy.blank("en").tokenizer
    yield Race(
        "words", "spaCy", lambda: words_of(*text_buffers(column), *tables), lambda: [tokeniser(text) for text in texts]
    )
    batch, language, model = pa.record_batch({"text": column}), Language(), _FastText(str(model_path())).f
    heads = [text[: language.characters].replace("\n", " ") + "\n" for text in texts]
    yield Race(
        "languages",
        "fastText",
        lambda: language.measure(batch),
        lambda: [model.predict(head, 1, 0.0, "strict") for head in heads],
    )
    general = Language(identifier=str(model_path()))
    yield Race(
        "fasttext",
        "fastText",
        lambda: general.measure(batch),
        lambda: [model.predict(head, 1, 0.0, "strict") for head in heads],
    )
    yield classifier_race(column, texts)
    ngrams, py3langid = Language(identifier=PY3LANGID), LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    yield Race(
        "byte_ngrams",
        "py3langid",
        lambda: ngrams.measure(batch),
        lambda: [py3langid.classify(text[: ngrams.characters]) for text in texts],
    )
    near, flags = Near(), np.empty(len(texts), np.uint8)
    yield Race("minhash", "datasketch", lambda: signature_matrix(column, near), lambda: _sketched(texts, near))
    yield Race(
        "contacts",
        "Arrow's RE2",
        lambda: notice_contacts(*text_buffers(column), flags),
        lambda: pc.match_substring_regex(column, CONTACTS),
    )
    prefixes = "|".join(map(re.escape, (prefix for each in FORMATS for prefix in each.prefixes)))
    places = np.empty((1024, 2), np.int64)
    yield Race(
        "prefixes",
        "Arrow's RE2",
        lambda: find_prefixes(*text_buffers(column), *PREFIXES, places),
        lambda: pc.match_substring_regex(column, f"\\b(?:{prefixes})"),
    )
    yield from numeric_races()


def json_races(texts: list[str]) -> Iterator[Race]:
    rows = [
        {"id": str(n), "text": text, "url": f"https://mill.example/{n}", "score": n / 8, "language": "en"}
        for n, text in enumerate(texts)
    ]
    lines = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    yield Race("json_scan, json_write", "orjson", lambda: _scanned(lines), lambda: _parsed(lines))
    yield Race("json_scan, json_write", "Arrow's JSON", lambda: _scanned(lines), lambda: _read_by_arrow(lines), "")
    data = json.dumps(rows, indent=1, ensure_ascii=False).encode()
    yield Race("json_nesting, orjson", "json", lambda: _objects(data), lambda: _decoded(data), "")


def numeric_races() -> Iterator[Race]:
    draw = np.random.default_rng(1)
    left, right = draw.integers(0, NODES, (2, EDGES))
    yield Race("union_find", "SciPy", lambda: union(left, right, NODES), lambda: _components(left, right))
    one, other = draw.integers(0, 3, (2, 50_000, 112), np.uint32)
    out = np.empty(len(one))
    yield Race(
        "minhash.equal_shares", "NumPy", lambda: equal_shares(one, other, out), lambda: (one == other).mean(axis=1)
    )


def _scanned(lines: bytes) -> Chunk:
    builder = _builder(lines)
    LineParser(builder).parse(lines, 0)
    return builder.take()


def _parsed(lines: bytes) -> Chunk:
    """The same columns, each line parsed by orjson."""
    builder, fields, offset = _builder(lines), Fields({}), 0
    for line in lines.splitlines(keepends=True):
        builder.add_document(offset=offset, **fields.document(parse_object(line)))
        offset += len(line)
    return builder.take()


def _builder(lines: bytes) -> ChunkBuilder:
    builder = ChunkBuilder(ReadingSettings())
    builder.start_span(Span(InputFile(0, "mill.jsonl", "mill.jsonl", len(lines), "mill")))
    return builder


def _read_by_arrow(lines: bytes) -> pa.Table:
    """Without the columns of a line's place and of its other fields."""
    options = pyarrow.json.ReadOptions(use_threads=False, block_size=2 * len(lines))
    return pyarrow.json.read_json(BytesIO(lines), read_options=options)


def _objects(data: bytes) -> list[object]:
    """The objects of an array; where each ends is the kernel's answer."""
    buffer, found, i = np.frombuffer(data, np.uint8), [], data.find(b"{")
    while i >= 0:
        end, _, _ = object_end(buffer, i, 0, OUTSIDE)
        found.append(orjson.loads(data[i:end]))
        i = data.find(b"{", end)
    return found


def _decoded(data: bytes) -> list[object]:
    array, decoder, found = data.decode(), json.JSONDecoder(), []
    i = array.find("{")
    while i >= 0:
        value, end = decoder.raw_decode(array, i)
        found.append(value)
        i = array.find("{", end)
    return found


def _fixed(text: str) -> str:
    return unicodedata.normalize("NFC", ftfy.fix_text(text, _ENCODING_ONLY))


def _sketched(texts: list[str], near: Near) -> list[MinHash]:
    bands, rows = near.banding
    sets = []
    for text in texts:
        words = WORD.findall(text.lower())
        sets.append({" ".join(words[n : n + near.ngram]).encode() for n in range(len(words) - near.ngram + 1)})
    return MinHash.bulk(sets, num_perm=bands * rows, scheme="affine32", hashfunc=xxhash.xxh32_intdigest)


def _components(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The smallest node of each node's component."""
    edges = coo_array((np.ones(len(left), np.int8), (left, right)), (NODES, NODES))
    _, labels = connected_components(edges, directed=False)
    _, smallest = np.unique(labels, return_index=True)
    return smallest[labels]


def descriptions() -> list[str]:
    """The first texts of `LENGTH` characters out of the descriptions of the installed packages, by name."""
    packages = sorted(distributions(), key=lambda one: one.metadata["Name"].lower())
    whole = "\n\n".join(str(one.metadata.json.get("description", "")) for one in packages)
    return [whole[LENGTH * n : LENGTH * (n + 1)] for n in range(TEXTS)]


def gains() -> Table:
    """The table; runs for about half a minute."""
    table = Table("kernel", "library", "speed", "asked", title="Kernels against libraries", title_justify="left")
    for race in races(descriptions()):
        table.add_row(race.kernel, race.library, f"{race.times():.1f} times", race.asked)
    return table


def main() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    Console().print(gains())


if __name__ == "__main__":
    main()
