"""Calls every kernel once on a tiny input, which compiles it into the cache or loads it from there.

After ``python -P -m curation.warm`` no run has to wait for the compiler.
"""

import json
import tempfile
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa

from curation.benchmarks.decon_index import DeconIndex
from curation.benchmarks.index import Index, tokenise
from curation.benchmarks.ngram_index import NgramIndex
from curation.benchmarks.samples import REFERENCES
from curation.benchmarks.settings import Normalise, Settings
from curation.dedup import substrings
from curation.dedup.bands import bands_by_partition, similar
from curation.dedup.components import forest
from curation.dedup.edges import unpack
from curation.dedup.near import alike_to_any, families
from curation.dedup.pieces import first_places, sort_places
from curation.dedup.settings import Near
from curation.dedup.sketch import shingle_sets, signature_matrix, word_counts
from curation.dedup.survivors import Order, SetReader, Sets, choose
from curation.fasttext.model import read_model
from curation.fasttext.training import LabelledTexts, Training
from curation.fasttext.writing import write_model
from curation.filters.c4 import C4Pages
from curation.filters.definitions import QualityDefinition
from curation.filters.dialects import DIALECTS
from curation.filters.fineweb import Fineweb
from curation.filters.gopher_quality import GopherQuality
from curation.filters.gopher_repetition import GopherRepetition
from curation.filters.identifiers import PY3LANGID
from curation.filters.language import Language
from curation.filters.url import Url
from curation.filters.word_list import WordList
from curation.judge import judge
from curation.kernels.best_fit import best_fit
from curation.kernels.cuts import Parts, cut_parts, parts_of_pieces, restore_parts, texts_of_parts
from curation.kernels.listed_terms import hashes, occurrences, terms
from curation.kernels.piece_bounds import PARAGRAPHS, find_pieces
from curation.kernels.shingles import jaccard_similarities
from curation.kernels.substrings import RUN_WIDTH, parts_of_substrings, span_keys
from curation.recipe import STEPS, Recipe
from curation.rewrites.line_rules import LineRules
from curation.rewrites.personal import KINDS
from curation.rewrites.redact import Redact
from curation.sources.inputs import Input
from curation.sources.listing import list_files
from curation.sources.reading import ReadingSettings, read_unit
from curation.sources.units import plan_units
from curation.tokenizers.tokenizer import Tokenizer

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}

LINES = (
    '{"id": "a", "text": "One of \\"them\\" is long enough for a shingle of five words.", "extra": [1]}\n'
    '{"id": "b", "text": "\u00e9\\r \u201cx\u201d \u00e2\u20ac\u2122 write to me@mill.example, 8.8.8.8\\nor not",'
    ' "url": "u"}\n'
)

OTHER_SETTINGS = (
    GopherQuality(definition=DIALECTS["dclm"].quality),
    GopherRepetition(definition=DIALECTS["dclm"].repetition),
    LineRules(min_words=0, max_word_length=1000, max_digit_share=1),
    C4Pages(sentences="punkt"),
    Fineweb(line_punct_exclude_zero=True),
    Url(domains=("mill.example",)),
    WordList(words=("word",)),
    Redact(kinds=KINDS, regions=("US",)),
)
"""Settings that need other kernels than the defaults."""


def warm() -> None:
    """Reads, judges and compares two documents."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "two.jsonl"
        path.write_text(LINES, encoding="utf-8")
        array = Path(folder) / "two.json"
        array.write_text(f"[{','.join(LINES.splitlines())}]", encoding="utf-8")
        for each in (array, path):
            (unit,) = plan_units(list_files([Input(glob=str(each))]), 1 << 20)
            records = pa.Table.from_batches(
                [chunk.documents for chunk in read_unit(unit, ReadingSettings())]
            ).combine_chunks()
        with LabelledTexts() as texts:
            texts.add(records["text"].combine_chunks(), 0)
            trained = texts.train(("positive",), Training(epochs=1, buckets=8), np.arange(2), lambda steps: None)
        write_model(Path(folder) / "model.bin", trained)
        model = read_model(Path(folder) / "model.bin")
    model.probabilities(records["text"].combine_chunks(), model.labels)
    model.likeliest(records["text"].combine_chunks())
    batch = records.to_batches()[0]
    judge(batch, Recipe(name="warm", steps=tuple(step() for step in STEPS)))
    judge(batch, Recipe(name="dialects", signals=False, steps=OTHER_SETTINGS))
    GopherQuality(definition=QualityDefinition(ignore_case=True)).measure(batch)
    Language(identifier=PY3LANGID).measure(batch)
    occurrences(records["text"].combine_chunks(), terms([("mill", 0)])[0])
    hashes(batch["doc_id"])
    near = Near(ngram=2)
    texts = records["text"].combine_chunks()
    values, _ = signature_matrix(texts, near)
    word_counts(texts)
    ids = np.arange(2, dtype=np.uint64)
    list(bands_by_partition(values, 0, np.arange(2), near, 1))
    nodes = np.column_stack([np.zeros(2, np.uint64), ids])
    read = values.view()
    read.flags.writeable = False  # as in columns of Arrow, for which kernels are compiled again
    for held in (values, read):
        similar((nodes[:1], held[:1]), (nodes[1:], held[1:]), near)
    forest(np.array([[0, 0, 0, 1]], np.uint64))
    best_fit(np.array([2, 1], np.int32), np.array([False, True]), 4)
    pieces = find_pieces(texts, PARAGRAPHS)
    places = np.column_stack([pieces.high, pieces.low, *(column.astype(np.uint64) for column in pieces[:3])])
    list(first_places(sort_places(places), 1, 1))
    parts = parts_of_pieces(texts, pieces, Parts(*pieces[:3], np.arange(len(pieces.text))))
    restore_parts(cut_parts(texts, parts), parts.text, parts.start, texts_of_parts(texts, parts))
    rows = np.arange(2)
    spans = sort_places(substrings.spans(0, rows, texts, np.unique(span_keys(texts, 8)), 8))
    sent = [blob for _, blob in substrings.window_entries(rows, texts, substrings.distinct_spans(spans), 8, 1)]
    answers = unpack([blob for _, blob in substrings.matches(sent)], RUN_WIDTH)
    text, start, end, other, first_start = np.ascontiguousarray(substrings.cuts(spans, answers, 8).T).astype(np.int64)
    parts_of_substrings(texts, Parts(text, start, end, np.arange(len(text))), other, first_start)
    sets, bounds = shingle_sets(texts, near)
    first = np.zeros(1, np.int64)
    jaccard_similarities(sets, bounds, first, sets, bounds, first, np.empty(1))
    link = np.array([[2, 0, 0, 0, 1, 0]], np.uint64)
    order = Order(lambda ids: ids.astype(np.int64), lambda ranks: ranks, lambda ranks: ranks == 0)
    choose(link, order, SetReader(lambda ids: bounds, lambda ids: Sets(sets, bounds), ordered=False), 0.5)
    families(texts)
    alike_to_any(texts, texts)
    for normalise in get_args(Normalise):
        index = Index(Settings(normalise=normalise), _letters(), texts)
        forms = index.form.texts(texts)
        index.candidates(forms)
        index.form.places(texts[0].as_py(), np.array([[0, 1]]))
        index.spans(*tokenise(index.encoder, forms), np.zeros(len(index.tokens), np.int32))
    words = NgramIndex(Settings(definition="palm"), texts, pa.array(["quiz", "quiz"]))
    words.search(words.forms, np.zeros(len(words.tokens), np.int32))
    words.places(words.forms[0].as_py())
    row = [["q"], ["1"], [LINES], ["in two words more"], ["a few words before"]]
    references = DeconIndex(pa.table(row, schema=REFERENCES))
    references.search(references.form.texts(texts))


def _letters() -> Tokenizer:
    """A tokenizer whose tokens are characters."""
    vocabulary = {chr(33 + place): place for place in range(256)}
    model = {"type": "BPE", "vocab": {**vocabulary, "</s>": 256}, "merges": []}
    content = json.dumps({"version": "1.0", "pre_tokenizer": BYTE_LEVEL, "model": model})
    return Tokenizer(
        kind="tokenizers",
        content=content.encode(),
        vocabulary=257,
        end_token="</s>",
        end_id=256,
        special=frozenset({256}),
    )


if __name__ == "__main__":
    warm()
