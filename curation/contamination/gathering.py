"""Puts together what the parts of a corpus say of the samples."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curation.benchmarks.index import Integers
from curation.benchmarks.ngram_index import AnyIndex
from curation.contamination.best import BestSpans, Span
from curation.contamination.run import Search, index_of
from curation.contamination.searching import COUNTED, TOUCHED, Read, shard_entries
from curation.contamination.tables import samples_of
from curation.engine.shuffle import Keyed
from curation.engine.stages import Groups
from curation.release.folder import WORK
from curation.release.shards import ShardWriter
from curation.tokenizers.tokenizer import one_thread_each
from schemas.manifest import ShardEntry

REPORT = f"{WORK}/gathered.json"
SAMPLES_FILE = "samples.parquet"
_ROWS = 1024
"""Samples of a record batch."""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The files that were written, and what was read of the corpus, see `Read`."""

    files: Mapping[str, ShardEntry]
    read: Mapping[str, int]


def gather(run: Search, key: int, groups: Groups) -> Iterator[Keyed]:
    """Stage: writes the table of samples, and a report with all files and counts."""
    index, samples = index_of(run)
    longest = np.zeros(len(index.tokens), np.int64)
    for blob in groups["touched"]:
        held = np.frombuffer(blob, TOUCHED)
        longest[held["token"]] = np.maximum(longest[held["token"]], held["longest"])
    documents = np.zeros(len(samples), np.int64)
    for blob in groups["counted"]:
        held = np.frombuffer(blob, COUNTED)
        documents[held["sample"]] += held["documents"]
    best = BestSpans(len(samples))
    for blob in groups["spans"]:
        for sample, *span in json.loads(blob):
            best.add(sample, Span(*span))
    table = samples_of(run.settings.definition)
    with one_thread_each(), ShardWriter(run.folder, SAMPLES_FILE, table.schema) as writer:
        for start in range(0, len(samples), _ROWS):
            numbers = range(start, min(start + _ROWS, len(samples)))
            rows = samples.slice(start, len(numbers))
            writer.write(table.batch(_rows(index, rows, numbers, longest, documents, best)))
    read = np.zeros(len(Read._fields), np.int64)
    for blob in groups["read"]:
        read += np.frombuffer(blob, np.int64)
    files = {**shard_entries(groups["entries"]), SAMPLES_FILE: writer.entry()}
    report = Gathered(files=files, read=dict(zip(Read._fields, map(int, read), strict=True)))
    run.folder.write_json(REPORT, report)
    yield from ()


def _rows(
    index: AnyIndex, samples: pa.Table, numbers: range, longest: Integers, documents: Integers, best: BestSpans
) -> dict[str, Any]:
    bounds = index.bounds[numbers.start : numbers.stop + 1]
    longests = [int(longest[bounds[k] : bounds[k + 1]].max(initial=0)) for k in range(len(numbers))]
    texts = samples["text"].to_pylist()
    return {
        "benchmark": samples["benchmark"].combine_chunks(),
        "sample_id": samples["sample_id"].combine_chunks(),
        "text": samples["text"].combine_chunks(),
        "tokens": np.diff(bounds),
        "longest": longests,
        **index.measured(longest, numbers),
        "documents": documents[numbers.start : numbers.stop],
        "spans": [_spans(index, text, best.of(number)) for number, text in zip(numbers, texts, strict=True)],
    }


def _spans(index: AnyIndex, text: str, spans: list[Span]) -> list[dict[str, Any]]:
    if not spans:
        return []
    form = index.form.texts(pa.array([text], pa.large_string()))[0].as_py()
    places = index.places(form)
    first = np.array([span.place for span in spans])
    last = first + np.array([span.tokens for span in spans]) - 1
    at = index.form.places(text, np.column_stack([places[first, 1], places[last, 2]])).tolist()
    return [
        {
            "tokens": span.tokens,
            "mismatches": span.mismatches,
            "sample_start": start,
            "sample_end": end,
            "doc_id": span.doc_id,
            "source": span.source,
            "start": span.start,
            "end": span.end,
            "passage": span.passage,
        }
        for span, (start, end) in zip(spans, at, strict=True)
    ]
